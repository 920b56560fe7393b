"""Routes: figures, work lists, the event log to pull, exports."""

import csv
import io
from datetime import date
from itertools import chain
from typing import Annotated, Any

import orjson
import sqlalchemy as sa
from fastapi import Query, Response
from pydantic import BaseModel, Field

from libs.common.http import Cursor, Limit, NotFound, Page, Router, Tx, invalid_query, paginate
from services.reporting import endpoints, kpis, queries
from services.reporting.facts import TABLES
from services.reporting.pull import EventPage, page_of_events

router = Router(prefix="/v1", tags=["reporting"])

First = Annotated[date | None, Query(alias="from", description="First date; the first of this month if left out.")]
Last = Annotated[date | None, Query(alias="to", description="Last date, inclusive; today if left out.")]
Only = Annotated[str | None, Query(max_length=64)]


class RatioView(BaseModel):
    name: str
    value: float | None = Field(description="null where the denominator is zero")
    unit: str
    formula: str
    numerator: int
    denominator: int
    note: str | None


class DenialReason(BaseModel):
    payer_id: str
    group_code: str
    reason_code: str
    claims: int
    denied_cents: int
    decided_claims: int | None
    rate: float | None


class AgingBucket(BaseModel):
    days: str
    payer_cents: int
    patient_cents: int


class Money(BaseModel):
    """DESIGN §7: billed + credits = payer_paid + patient_paid + … + in_flight; `difference_cents` is 0."""

    billed_cents: int
    credits_cents: int
    payer_paid_cents: int
    patient_paid_cents: int
    contractual_cents: int
    written_off_cents: int
    withheld_cents: int
    patient_cents: int
    denied_open_cents: int
    in_flight_cents: int
    difference_cents: int
    unbilled_cents: int


class Kpis(BaseModel):
    first: date
    last: date
    practice_id: str | None
    payer_id: str | None
    ratios: list[RatioView]
    denials: list[DenialReason]
    aging: list[AgingBucket]
    money: Money
    claims_by_status: dict[str, int]


def _scope(tx: Tx, first: date | None, last: date | None, practice_id: str | None, payer_id: str | None) -> kpis.Scope:
    month = kpis.this_month(tx.today)
    scope = kpis.Scope(first=first or month[0], last=last or month[1], practice_id=practice_id, payer_id=payer_id)
    if scope.first > scope.last:
        raise invalid_query("from", "period_reversed", "The period begins after it ends.")
    return scope


@router.get("/kpis", scope="reporting:read")
async def read_kpis(
    tx: Tx, first: First = None, last: Last = None, practice_id: Only = None, payer_id: Only = None
) -> Kpis:
    """The key figures of a period, each with its formula."""
    scope = _scope(tx, first, last, practice_id, payer_id)
    ratios = [
        await kpi(tx, scope)
        for kpi in (
            kpis.clean_claim_rate,
            kpis.first_pass_payment_rate,
            kpis.denial_rate,
            kpis.days_in_ar,
            kpis.net_collection_rate,
        )
    ]
    return Kpis(
        first=scope.first,
        last=scope.last,
        practice_id=practice_id,
        payer_id=payer_id,
        ratios=[
            RatioView(
                name=r.name,
                value=r.value,
                unit=r.unit,
                formula=r.formula,
                numerator=r.numerator,
                denominator=r.denominator,
                note=r.note,
            )
            for r in ratios
        ],
        denials=[DenialReason(**row) for row in await kpis.denials_by_payer_and_reason(tx, scope)],
        aging=[AgingBucket(**row) for row in await kpis.aging(tx, scope, tx.today)],
        money=Money(**await kpis.money(tx, scope), unbilled_cents=await kpis.unbilled(tx, scope)),
        claims_by_status=await kpis.claims_by_status(tx, scope),
    )


class WorkItem(BaseModel):
    task_id: str
    source: str
    practice_id: str | None
    reason: str
    subject_type: str
    subject_id: str
    owner: str
    status: str
    due_on: date | None
    amount_cents: int | None


@router.get("/worklist", scope="reporting:read")
async def read_worklist(
    tx: Tx, cursor: Cursor = None, limit: Limit = 50, status: Only = "open", owner: Only = None, reason: Only = None
) -> Page[WorkItem]:
    """What waits for a person in any service."""
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in WorkItem.model_fields]
    select = sa.select(*columns).select_from(sa.text("reporting.work"))
    for name, value in (("status", status), ("owner", owner), ("reason", reason)):
        if value is not None:
            select = select.where(sa.column(name) == value)
    return await paginate(tx, select, cursor, limit, key=("source", "task_id"), view=lambda row: WorkItem(**dict(row)))


class Summary(BaseModel):
    encounters: int
    tasks_by_reason: dict[str, int]
    events_by_topic: dict[str, int]


@router.get("/summary", scope="reporting:read")
async def read_summary(tx: Tx) -> Summary:
    """How many sessions there are, how much work waits by reason, and how many events have come by type."""
    return Summary(
        encounters=await queries.encounters(tx),
        tasks_by_reason=await queries.work_by_reason(tx),
        events_by_topic=await queries.events_by_topic(tx),
    )


@router.get("/events", scope="reporting:read")
async def pull_events(
    tx: Tx,
    cursor: Cursor = None,
    limit: Limit = 50,
    types: Annotated[
        list[str] | None,
        Query(max_length=40, description="Globs over event types, such as `claim.*`."),
    ] = None,
) -> EventPage:
    """Events in the order in which they arrived, without their sealed part; keep `next_cursor` to go on later."""
    found = None if types is None else [endpoints.types_like(pattern) for pattern in types]
    if found is not None and not all(found):
        raise invalid_query("types", "no_such_type", "No event type is like this.")
    return await page_of_events(tx, cursor, limit, None if found is None else [*chain.from_iterable(found)])


@router.get("/exports/{table}", scope="reporting:read", response_class=Response)
async def export(tx: Tx, table: str, format: Annotated[str, Query(pattern="^(csv|ndjson)$")] = "csv") -> Response:
    """An analytics table as a file: CSV, or one JSON object a line."""
    if table not in TABLES:
        raise NotFound("There is no analytics table of this name.")
    rows = await queries.rows_of(tx, table)
    if format == "ndjson":
        return Response(b"".join(orjson.dumps(row) + b"\n" for row in rows), media_type="application/x-ndjson")
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return Response(text.getvalue(), media_type="text/csv")


def _cell(value: Any) -> Any:
    """A cell that a spreadsheet will not take for a formula."""
    if isinstance(value, list | dict):
        value = orjson.dumps(value).decode()
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
