"""The routes of encounters, charges and rules: parse, call a step, answer."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import Body, Query, Response
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql as pg

from libs.common import audit
from libs.common.db import Transaction
from libs.common.http import (
    BULK_BYTES,
    Cursor,
    Limit,
    Member,
    Page,
    Problem,
    Router,
    Together,
    Tx,
    again,
    paginate,
    set_etag,
)
from libs.common.pages import PageInfo
from libs.common.problems import Invalid, field_errors
from services.claims import claim_routes, consent_routes, denial_routes, intake, reading, rules, store, tables
from services.claims.claim_views import ChargeIn, ChargeView, RuleView
from services.claims.views import (
    EXAMPLE,
    BatchItem,
    BatchView,
    EncounterDetailView,
    EncounterIn,
    EncounterView,
    Timeline,
)

READ: Final = "claims:read"
WRITE: Final = "claims:write"
MOST_IN_A_BATCH: Final = 1000

encounter_routes = Router(prefix="/v1/encounters", tags=["encounters"])
batch_intake_routes = Router(prefix="/v1/encounters:batch", tags=["encounters"])
charge_routes = Router(prefix="/v1/charges", tags=["charges"])
rule_routes = Router(prefix="/v1/rules", tags=["rules"])
ROUTERS: Final = (
    encounter_routes,
    batch_intake_routes,
    charge_routes,
    rule_routes,
    *claim_routes.ROUTERS,
    *denial_routes.ROUTERS,
    *consent_routes.ROUTERS,
)


async def _those_of_a_practice(tx: Transaction, members: Sequence[Member]) -> list[EncounterView | Problem]:
    """Sessions that several requests have brought at once, each taken or refused by itself."""
    taken = await intake.receive_all(tx, [member.body for member in members], [member.at_work for member in members])
    return [
        one if isinstance(one, Problem) else await _received(tx, one, member.noted)
        for member, one in zip(members, taken, strict=True)
    ]


TOGETHER: Final = Together(of=lambda sent: sent.practice_id, do=_those_of_a_practice)


@encounter_routes.post("", scope=WRITE, status_code=201, responses=again(EncounterView), together=TOGETHER)
async def create_encounter(body: EncounterIn, tx: Tx, response: Response) -> EncounterView:
    """A session is here once by its external id; the same content again answers 200 and changes nothing."""
    return await _received(tx, await intake.receive(tx, body), response)


async def _received(tx: Transaction, received: intake.Received, response: Response) -> EncounterView:
    view = await reading.received_view(tx, received)
    response.status_code = 201 if received.created else 200
    response.headers["Location"] = view.links["self"]
    set_etag(response, view.version)
    return view


@batch_intake_routes.post("", scope=WRITE, status_code=207, body_limit_bytes=BULK_BYTES)
async def create_encounters(
    body: Annotated[list[dict[str, Any]], Body(max_length=MOST_IN_A_BATCH, examples=[[EXAMPLE]])], tx: Tx
) -> BatchView:
    """Up to 1,000 sessions, each taken or refused by itself."""
    parsed = [_parsed(content) for content in body]
    taken = iter(await intake.receive_all(tx, [sent for sent in parsed if isinstance(sent, EncounterIn)]))
    await tx.meanwhile(least=1)  # the rest is written while the answer is made
    items = []
    for index, (content, sent) in enumerate(zip(body, parsed, strict=True)):
        items.append(await _item(tx, index, content, sent if isinstance(sent, Problem) else next(taken)))
        if index % intake.BREATH == 0:
            await tx.meanwhile()
    shown = [item.encounter for item in items if item.encounter is not None]
    audit.about(tx, [(one.id, one.practice_id) for one in shown])
    return BatchView(
        accepted=sum(item.status == 201 for item in items),
        unchanged=sum(item.status == 200 for item in items),
        refused=sum(item.status >= 400 for item in items),
        data=items,
    )


async def _item(tx: Transaction, index: int, content: dict[str, Any], became: intake.Received | Problem) -> BatchItem:
    external_id = content.get("external_id")
    named = external_id if isinstance(external_id, str) and len(external_id) <= 64 else None
    if isinstance(became, Problem):
        return BatchItem(index=index, external_id=named, status=became.status, problem=became.view(None))
    view = await reading.received_view(tx, became)
    return BatchItem(index=index, external_id=named, status=201 if became.created else 200, encounter=view)


def _parsed(content: dict[str, Any]) -> EncounterIn | Problem:
    try:
        return EncounterIn.model_validate(content)
    except ValidationError as error:
        return Invalid(field_errors([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]))


@encounter_routes.get("", scope=READ, phi=True)
async def list_encounters(
    tx: Tx,
    external_id: Annotated[str | None, Query(max_length=64)] = None,
    practice_id: Annotated[str | None, Query(max_length=64)] = None,
    patient_id: Annotated[str | None, Query(max_length=64)] = None,
    service_from: date | None = None,
    service_to: date | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[EncounterView]:
    """Sessions, oldest first."""
    table = tables.encounter
    given = {"external_id": external_id, "practice_id": practice_id, "patient_id": patient_id}
    select = sa.select(table).where(*(table.c[name] == value for name, value in given.items() if value is not None))
    if service_from is not None:
        select = select.where(table.c.service_date >= service_from)
    if service_to is not None:
        select = select.where(table.c.service_date <= service_to)
    rows = await paginate(tx, select, cursor, limit, view=lambda row: row)
    views = [EncounterView(**await reading.encounter_fields(tx, row)) for row in rows.data]
    return Page(data=views, page=rows.page)


@encounter_routes.get("/{encounter_id}", scope=READ, phi=True)
async def read_encounter(encounter_id: str, tx: Tx, response: Response) -> EncounterDetailView:
    """One session with everything that the EHR sent of it."""
    row = await store.encounter(tx, encounter_id)
    set_etag(response, row["version"])
    return EncounterDetailView(**await reading.encounter_fields(tx, row), detail=row["detail"])


@encounter_routes.get("/{encounter_id}/timeline", scope=READ, phi=True)
async def read_timeline(encounter_id: str, tx: Tx) -> Timeline:
    """Everything that happened to the session and its claims, in order."""
    row = await store.encounter(tx, encounter_id)
    audit.about(tx, [(encounter_id, row["practice_id"])])
    return await reading.timeline(tx, encounter_id=encounter_id)


@charge_routes.put("", scope=WRITE)
async def set_charge(body: ChargeIn, tx: Tx) -> ChargeView:
    """From that day on the practice charges this for one unit of the code; an earlier open-ended charge ends before."""
    table = tables.charge
    await tx.execute(
        table.update()
        .where(
            table.c.practice_id == body.practice_id,
            table.c.code == body.code,
            table.c.effective_from < body.effective_from,
            sa.or_(table.c.effective_to.is_(None), table.c.effective_to >= body.effective_from),
        )
        .values(effective_to=body.effective_from - timedelta(days=1), updated_at=tx.now)
    )
    values = {"effective_to": body.effective_to, "charge_cents": body.charge_cents, "updated_at": tx.now}
    row = await tx.one(
        pg.insert(table)
        .values(
            tenant_id=tx.tenant,
            practice_id=body.practice_id,
            code=body.code,
            effective_from=body.effective_from,
            **values,
        )
        .on_conflict_do_update(index_elements=["tenant_id", "practice_id", "code", "effective_from"], set_=values)
        .returning(*table.c)
    )
    return reading.shown(ChargeView, dict(row))


@charge_routes.get("", scope=READ)
async def list_charges(
    tx: Tx,
    practice_id: Annotated[str | None, Query(max_length=64)] = None,
    code: Annotated[str | None, Query(max_length=5)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ChargeView]:
    """The charge master, by practice, code and day."""
    table = tables.charge
    given = {"practice_id": practice_id, "code": code}
    select = sa.select(table).where(*(table.c[name] == value for name, value in given.items() if value is not None))
    key = ("practice_id", "code", "effective_from")
    return await paginate(tx, select, cursor, limit, key=key, view=lambda row: reading.shown(ChargeView, dict(row)))


@rule_routes.get("", scope=READ)
async def list_rules(payer_id: str | None = None, on: date | None = None) -> Page[RuleView]:
    """The rule pack; for one payer and date of service where named."""
    found = [rule for rule in rules.pack() if payer_id is None or on is None or rule.applies(payer_id, on)]
    names = [name for name in RuleView.model_fields if name != "payers"]
    data = [RuleView(**{name: getattr(rule, name) for name in names}, payers=list(rule.payers)) for rule in found]
    return Page(data=data, page=PageInfo(next_cursor=None, has_more=False))
