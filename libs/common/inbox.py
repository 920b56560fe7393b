"""What has arrived: each event has its effect once, however often the log brings it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

import sqlalchemy as sa
from pydantic import BaseModel, Field, ValidationError

from libs.common.db import Transaction
from libs.common.log import Record

REPLAY_TO = "parity-replay-to"
"""Header of a record that is published again for one group, which takes it past its inbox; others ignore it."""
REPLAY_RUN = "parity-replay-run"
"""Header with the id of that run: the record has its effect once more, and only once more."""
_UNREADABLE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


class _Envelope(BaseModel):
    """The little that delivery needs of an event."""

    id: UUID
    tenantid: str = Field(min_length=1)
    correlationid: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A record, and what its envelope says without knowing its type."""

    record: Record
    event_id: UUID
    inbox_id: UUID
    tenant_id: str | None
    correlation_id: str | None = None
    traceparent: str | None = None
    readable: bool = True

    @classmethod
    def of(cls, record: Record) -> "Arrival":
        """Never raises: what is no event gets an id from its bytes, so that it is parked once."""
        try:
            envelope = _Envelope.model_validate_json(record.value)
        except ValidationError:
            derived = uuid5(_UNREADABLE, f"{record.topic}/{record.key}/{record.value.hex()}")
            return cls(record=record, event_id=derived, inbox_id=derived, tenant_id=None, readable=False)
        run = record.headers.get(REPLAY_RUN)
        return cls(
            record=record,
            event_id=envelope.id,
            inbox_id=envelope.id if run is None else uuid5(envelope.id, run),
            tenant_id=envelope.tenantid,
            correlation_id=envelope.correlationid,
            traceparent=envelope.traceparent,
        )

    def is_for(self, group: str) -> bool:
        """False for a record that is replayed to another group."""
        return self.record.headers.get(REPLAY_TO, group) == group


async def first_times(tx: Transaction, arrivals: Sequence[Arrival]) -> set[UUID]:
    """The inbox ids of those that are here for the first time; they are noted with `tx`.

    Waits for another member that is at the same records, and then knows what that one has done. In order of id,
    so that two members never wait for each other.
    """
    ordered = sorted({a.inbox_id: a.record.topic for a in arrivals}.items())
    ids, topics = [str(i) for i, _ in ordered], [t for _, t in ordered]
    return {row["event_id"] for row in await tx.all(_NOTE, {"ids": ids, "topics": topics})}


async def first_time(tx: Transaction, arrival: Arrival) -> bool:
    """True once for each arrival."""
    return bool(await first_times(tx, [arrival]))


async def forget(tx: Transaction, arrivals: Sequence[Arrival]) -> None:
    """These have not had their effect after all."""
    if arrivals:
        await tx.execute(_FORGET, {"ids": [str(a.inbox_id) for a in arrivals]})


async def purge(tx: Transaction, *, older_than_days: int) -> int:
    """Notes of that age are gone; they must be older than anything that the log can still bring."""
    return (await tx.execute(_PURGE, {"days": older_than_days})).rowcount


_NOTE = sa.text(
    "insert into inbox (event_id, topic) "
    "select i::uuid, t from unnest(cast(:ids as text[]), cast(:topics as text[])) as n(i, t) "
    "on conflict do nothing returning event_id"
)
_FORGET = sa.text("delete from inbox where event_id::text = any(cast(:ids as text[]))")
_PURGE = sa.text("delete from inbox where received_at < clock_timestamp() - make_interval(days => :days)")
