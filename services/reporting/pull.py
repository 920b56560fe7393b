"""The event log to pull: a page of events and the cursor to go on from, for ever."""

from typing import Any

from pydantic import BaseModel, Field

from libs.common.db import Transaction
from libs.common.pages import read_position, write_position
from services.reporting import queries


class EventPage(BaseModel):
    """Events as CloudEvents 1.0; `next_cursor` is never null, so that a reader can come back for what follows."""

    data: list[dict[str, Any]]
    next_cursor: str
    has_more: bool = Field(description="whether more are there already")


async def page_of_events(tx: Transaction, cursor: str | None, limit: int, types: list[str] | None) -> EventPage:
    """The events after the cursor; from the first where there is none."""
    position = read_position(tx, cursor, "events") if cursor else 0
    found = await queries.events_after(tx, position, limit + 1, types)
    shown = found[:limit]
    last = shown[-1][0] if shown else position
    return EventPage(
        data=[event for _, event in shown],
        next_cursor=write_position(tx, last, "events"),
        has_more=len(found) > limit,
    )
