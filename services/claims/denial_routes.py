"""The routes of denials and appeals."""

from typing import Annotated, Final

import sqlalchemy as sa
from fastapi import Query, Response

from libs.common.http import Cursor, Limit, Page, Router, Tx, paginate, set_etag
from services.claims import appeal, correct, denials, reading, tables
from services.claims.changes import Changes
from services.claims.claim_views import AppealAnswer, AppealIn, AppealView, ClaimView, DenialView, GiveUp

READ: Final = "claims:read"
WRITE: Final = "claims:write"

denial_routes = Router(prefix="/v1/denials", tags=["denials"])
appeal_routes = Router(prefix="/v1/appeals", tags=["appeals"])
ROUTERS: Final = (denial_routes, appeal_routes)


@denial_routes.get("", scope=READ, phi=True)
async def list_denials(
    tx: Tx,
    status: Annotated[str | None, Query(max_length=16)] = None,
    category: Annotated[str | None, Query(max_length=32)] = None,
    payer_id: Annotated[str | None, Query(max_length=64)] = None,
    claim_id: Annotated[str | None, Query(max_length=64)] = None,
    reason_code: Annotated[str | None, Query(max_length=5)] = None,
    owner: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[DenialView]:
    """Denied lines, oldest first."""
    table = tables.denial
    given = {
        "status": status,
        "category": category,
        "payer_id": payer_id,
        "claim_id": claim_id,
        "reason_code": reason_code,
        "owner": owner,
    }
    select = sa.select(table).where(*(table.c[name] == value for name, value in given.items() if value is not None))
    return await paginate(tx, select, cursor, limit, view=lambda row: reading.shown(DenialView, dict(row)))


@denial_routes.get("/{denial_id}", scope=READ, phi=True)
async def read_denial(denial_id: str, tx: Tx, response: Response) -> DenialView:
    """One denied line: its root cause, the next step, the deadlines."""
    row = await denials.load(tx, denial_id)
    set_etag(response, row["version"])
    return reading.shown(DenialView, dict(row))


@denial_routes.post("/{denial_id}/corrections", scope=WRITE, phi=True, status_code=202)
async def correct_denial(denial_id: str, body: Changes, tx: Tx) -> ClaimView:
    """The claim is corrected and goes out again at the next cut."""
    claim = await correct.correct_denial(tx, denial_id, body)
    return await reading.claim_view(tx, claim.id)


@denial_routes.post("/{denial_id}/appeals", scope=WRITE, status_code=201)
async def file_appeal(denial_id: str, body: AppealIn, tx: Tx) -> AppealView:
    """The denial is contested; its answer is expected within 60 days."""
    row = await appeal.file(tx, denial_id, body.kind, body.letter_ref)
    return reading.shown(AppealView, dict(row))


@denial_routes.post("/{denial_id}/write-off", scope=WRITE)
async def write_off(denial_id: str, body: GiveUp, tx: Tx) -> DenialView:
    """The denied amount is given up, by your decision."""
    row = await appeal.give_up(tx, denial_id, "written_off", body.why)
    return reading.shown(DenialView, dict(row))


@denial_routes.post("/{denial_id}/bill-patient", scope=WRITE)
async def bill_patient(denial_id: str, body: GiveUp, tx: Tx) -> DenialView:
    """The patient owes the denied amount, where the payer's group code allows it."""
    row = await appeal.give_up(tx, denial_id, "billed_to_patient", body.why)
    return reading.shown(DenialView, dict(row))


@appeal_routes.get("", scope=READ, phi=True)
async def list_appeals(
    tx: Tx,
    status: Annotated[str | None, Query(max_length=16)] = None,
    denial_id: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[AppealView]:
    """Appeals, oldest first."""
    table = tables.appeal
    given = {"status": status, "denial_id": denial_id}
    select = sa.select(table).where(*(table.c[name] == value for name, value in given.items() if value is not None))
    return await paginate(tx, select, cursor, limit, view=lambda row: reading.shown(AppealView, dict(row)))


@appeal_routes.post("/{appeal_id}/outcome", scope=WRITE)
async def answer_appeal(appeal_id: str, body: AppealAnswer, tx: Tx) -> AppealView:
    """The payer's answer: upheld gives the case back, overturned waits for the money."""
    row = await appeal.answer(tx, appeal_id, body.outcome)
    return reading.shown(AppealView, dict(row))
