"""A small service with a route of each kind, behind the real doors and over the real kernel tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.common import clearinghouse, tasks
from libs.common.composition import Service
from libs.common.db import Stale, Transaction
from libs.common.http import (
    X12,
    Caller,
    Conflict,
    Cursor,
    IfMatch,
    Invalid,
    Limit,
    Member,
    NotFound,
    Page,
    Problem,
    RawBody,
    Router,
    Together,
    Tx,
    check_version,
    paginate,
    set_etag,
)
from libs.common.problems import FieldError
from libs.common.webhooks import InboundMessage, Written

HISTORY = Path(__file__).resolve().parents[2] / "services" / "reporting" / "migrations"
router = Router(prefix="/v1/visits", tags=["visits"])
arrivals = Router(prefix="/v1/arrivals", tags=["arrivals"])
bench = Router(prefix="/bench", tags=["bench"], open_to="anyone", idempotent=False)


class Illegal(Exception):
    """A step that the lifecycle does not know."""


class NewVisit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    minutes: int = Field(ge=1, le=480)
    name: str = Field(max_length=40)
    kind: str = Field("therapy", pattern="^[a-z]+$")
    metadata: dict[str, Any] = Field(default_factory=dict)


class VisitView(BaseModel):
    id: str
    practice_id: str | None = None
    minutes: int


class Line(BaseModel):
    id: str
    subject_id: str
    detail: str | None


@router.post("", status_code=201, scope="reporting:write")
async def create_visit(body: NewVisit, tx: Tx, caller: Caller, response: Response) -> VisitView:
    """Write something that can be counted: a task."""
    if body.kind == "refused":
        raise Conflict("visit_refused", "It was refused.")
    task_id = await tasks.open(
        tx,
        reason="visit",
        subject_type="visit",
        subject_id=f"vis_{body.minutes}",
        owner="billing",
        detail=caller.subject,
    )
    if body.kind == "broken":
        raise RuntimeError(f"broken by {body.name}")
    if body.kind == "unsaid":
        response.status_code = 409
    return VisitView(id=task_id, minutes=body.minutes)


@router.post("/counted", status_code=201, scope="reporting:write")
async def count_visit(body: NewVisit, newest: bool = False) -> VisitView:
    """Told of one visit, and whether it is the newest."""
    return VisitView(id=f"vis_{newest}".lower(), minutes=body.minutes)


@router.get("", scope="reporting:read", phi=True)
async def list_visits(tx: Tx, cursor: Cursor = None, limit: Limit = 50, newest: bool = False) -> Page[Line]:
    """Everything, page by page."""
    return await paginate(tx, sa.select(tasks.task), cursor, limit, descending=newest, view=lambda row: Line(**row))


@router.get("/{visit_id}", scope="reporting:read", phi=True)
async def read_visit(visit_id: str, tx: Tx, response: Response) -> Line:
    """One of them."""
    row = await tx.first(sa.select(tasks.task).where(tasks.task.c.id == visit_id))
    if row is None:
        raise NotFound
    set_etag(response, row["version"])
    return Line(**row)


@router.put("/{visit_id}", scope="reporting:write")
async def replace_visit(visit_id: str, body: NewVisit, tx: Tx, expected: IfMatch) -> VisitView:
    """Only for somebody who has read the present version."""
    row = await tx.one(sa.select(tasks.task.c.version).where(tasks.task.c.id == visit_id))
    check_version(expected, row["version"])
    return VisitView(id=visit_id, minutes=body.minutes)


@router.post("/{visit_id}/fail", scope="reporting:write")
async def fail_visit(visit_id: str, how: Annotated[str, Query()], tx: Tx) -> None:
    """Fail in one of many ways."""
    failures: dict[str, Exception] = {
        "illegal": Illegal("submitted cannot take scrub"),
        "stale": Stale(visit_id),
        "unforeseen": KeyError("Jo Rivera"),
        "connection": ConnectionRefusedError("Jo Rivera"),
    }
    if how == "out_of_range":
        await tx.execute(sa.select(tasks.task).where(tasks.task.c.amount_cents == 2**70))
    raise failures.get(how, NotFound())


@router.post("/835", scope="reporting:write", accepts=X12, body_limit_bytes=2048)
async def take_x12(body: RawBody) -> dict[str, int]:
    """Something that is not JSON."""
    return {"bytes": len(body)}


async def _arrive(tx: Transaction, body: NewVisit) -> VisitView:
    """A task of the visit, in the name of whoever asked; `broken` is our own fault, `refused` the caller's."""
    if body.kind == "refused":
        raise Conflict("visit_refused", "It was refused.")
    task_id = await tasks.open(
        tx, reason="visit", subject_type="visit", subject_id=f"vis_{body.minutes}", owner="billing"
    )
    if body.kind == "broken":
        raise RuntimeError(f"broken by {body.name}")
    return VisitView(id=task_id, minutes=body.minutes)


async def _arrive_all(tx: Transaction, members: Sequence[Member]) -> list[VisitView | Problem]:
    found: list[VisitView | Problem] = []
    for member in members:
        with member.at_work(tx):
            try:
                found.append(await _arrive(tx, member.body))
            except Problem as problem:
                found.append(problem)
    return found


@arrivals.post("", status_code=201, scope="reporting:write", together=Together(of=lambda v: v.name, do=_arrive_all))
async def create_arrival(body: NewVisit, tx: Tx) -> VisitView:
    """As create_visit; those of one name that come at once share a transaction."""
    return await _arrive(tx, body)


@bench.post("/echo")
async def echo(body: NewVisit) -> NewVisit:
    """Open to anyone, without a key."""
    return body


async def on_ehr(tx: Transaction, message: InboundMessage) -> Written:
    """The mapping of webhooks: minutes make a task."""
    if message.body == b"explode":
        raise RuntimeError("Jo Rivera")
    if message.body == b"refuse":
        raise Invalid([FieldError("/minutes", "too_long", "Nobody sits so long.")])
    visit = NewVisit.model_validate_json(message.body)
    await tasks.open(
        tx, reason="visit", subject_type="visit", subject_id=f"vis_{visit.minutes}", owner="billing",
        practice_id=message.practice_id,
    )  # fmt: skip
    return Written("visit", [f"vis_{visit.minutes}"], message.practice_id)


def create_service() -> Service:
    return Service(
        name="reporting",
        title="A service for the tests of the doors",
        migrations=HISTORY,
        routers=(router, arrivals, bench, clearinghouse.routes("reporting")),
        inbound={"ehr": on_ehr},
        problems={Illegal: (409, "state_conflict")},
    )
