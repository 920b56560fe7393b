"""The test clock: one row, `platform.clock`, that every local service reads; it stands still until it is moved."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from libs.common.clock import CLOCK_MOVED
from libs.common.db import Transaction
from libs.common.http import Conflict, Router, Tx

router = Router(prefix="/v1/clock", tags=["clock"], open_to="anyone", idempotent=False)


class ClockView(BaseModel):
    """Business time, and whether it stands still (`frozen`) or runs with the real time."""

    now: datetime
    frozen: bool


class SetClock(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"at": "2026-10-01T08:00:00Z"}]})
    at: Annotated[AwareDatetime, Field(description="The business time that it is from now on.")]


class AdvanceClock(BaseModel):
    """Either `to` or a span of days, hours and minutes; the clock never goes back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"hours": 4}, {"days": 7}]})
    days: Annotated[int, Field(ge=0)] = 0
    hours: Annotated[int, Field(ge=0)] = 0
    minutes: Annotated[int, Field(ge=0)] = 0
    to: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "AdvanceClock":
        if bool(self.days or self.hours or self.minutes) == (self.to is not None):
            raise ValueError("give `to`, or a span of days, hours and minutes that is not zero")
        return self

    @property
    def span(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes)


@router.get("", summary="What time it is")
async def read_clock(tx: Tx) -> ClockView:
    """Business time."""
    return await _view(tx)


@router.post("/set", summary="Set the clock")
async def set_clock(body: SetClock, tx: Tx) -> ClockView:
    """The clock stands at `at`; going back is refused once it has been set."""
    return await _move(tx, body.at)


@router.post("/advance", summary="Move the clock forward")
async def advance_clock(body: AdvanceClock, tx: Tx) -> ClockView:
    """The clock stands later; all that has become due is done by the workers from now on."""
    await tx.execute(sa.text("select 1 from platform.clock for update"))
    now = (await _view(tx)).now
    return await _move(tx, body.to or now + body.span)


async def _move(tx: Transaction, to: datetime) -> ClockView:
    before = await tx.scalar(sa.text("select stands_at from platform.clock for update"))
    if before is not None and to < before:
        raise Conflict("clock_goes_back", "The clock stands at a later time already; start from an empty state.")
    await tx.execute(sa.text("update platform.clock set stands_at = :at"), {"at": to})
    tx.wakes.add(CLOCK_MOVED)
    return await _view(tx)


async def _view(tx: Transaction) -> ClockView:
    row = await tx.one(sa.text("select platform.now() as now, stands_at is not null as frozen from platform.clock"))
    return ClockView(now=row["now"].astimezone(UTC), frozen=row["frozen"])
