"""Five designs that lose or double something, for the tests that have to catch them; nothing else uses this.

A process becomes one of them at its start, by PARITY_MUTANT, which is refused outside local mode.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from libs.common import inbox, outbox, relay
from libs.common.clearinghouse import HttpClearinghouse
from libs.common.db import Transaction
from libs.common.events.envelope import Event
from libs.common.inbox import Arrival
from libs.common.log import Record, TopicPartition
from libs.common.log.embedded_consumer import EmbeddedConsumer


def offset_before_the_work() -> None:
    """The log is told that records are done before anything is done with them."""
    from libs.common.log.kafka_consumer import KafkaConsumer  # noqa: PLC0415  a process loads the log that it uses

    for member in (EmbeddedConsumer, KafkaConsumer):
        _commit_at_once(member)


def _commit_at_once(member: Any) -> None:
    poll = member.poll

    async def poll_and_commit(self: Any, **options: Any) -> dict[TopicPartition, list[Record]]:
        found: dict[TopicPartition, list[Record]] = await poll(self, **options)
        if found:
            await self.commit({tp: records[-1].offset + 1 for tp, records in found.items()})
        return found

    member.poll = poll_and_commit


def no_inbox() -> None:
    """Every record is taken for new."""

    async def always(_: Transaction, arrivals: Sequence[Arrival]) -> set[UUID]:
        return {arrival.inbox_id for arrival in arrivals}

    _put(inbox, "first_times", always)


def published_outside_the_transaction() -> None:
    """Events leave by a transaction of their own, whatever becomes of the change that they tell."""
    add = outbox.add

    async def add_apart(tx: Transaction, event: Event, *, sequence: int) -> str:
        async with tx.database.transaction(tx.tenant) as apart:
            alone = replace(tx, connection=apart.connection, _waiting=[], _rows={}, _beside=None)
            told = await add(alone, event, sequence=sequence)
            await alone.settle()
            return told

    _put(outbox, "add", add_apart)


def cursor_after_the_last() -> None:
    """The relay looks only behind the last row that it moved."""
    last = "coalesce((select max(id) from sent), 0)"
    _put(relay, "_OLDEST", relay._OLDEST.replace("from outbox", f"from outbox where id > {last}"))


def resent_without_asking() -> None:
    """An 837 whose outcome is unknown goes out again, unasked."""

    async def never_seen(*_: Any) -> None:
        return None

    _put(HttpClearinghouse, "find", never_seen)


MUTANTS: Final[Mapping[str, Callable[[], None]]] = {
    mutant.__name__: mutant
    for mutant in (
        offset_before_the_work,
        no_inbox,
        published_outside_the_transaction,
        cursor_after_the_last,
        resent_without_asking,
    )
}


def _put(place: Any, name: str, instead: Any) -> None:
    assert hasattr(place, name), f"{name} is not where this mutant would change it"
    setattr(place, name, instead)
