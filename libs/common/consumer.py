"""The one consumer loop: every record has its effect once, or its key is parked; its neighbours flow on.

Inbox row, effect and outbox rows live or die in one transaction; the offset is committed to the log afterwards.
A commit that is lost brings the records again, and the inbox drops them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence, Set
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from uuid import UUID

from libs.common import inbox, logs, metrics, parking
from libs.common.crashpoints import crashpoint
from libs.common.db import Database, Transaction
from libs.common.effect import Events, Handlers, apply
from libs.common.events import CATALOG
from libs.common.inbox import Arrival
from libs.common.log import Consumer, EventLog, LogUnavailable, PartitionLost, Record, TopicPartition
from libs.common.transient import is_transient, wait, waits

log = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 5
PER_TRANSACTION = 50
MAX_RECORDS = 250
POLL_SECONDS = 0.5
FINISH_SECONDS = 1.5
"""How long a batch may go on after we were asked to stop: what is finished is committed, and does not come again."""
KEEP_INBOX_DAYS = 90
"""Longer than any log keeps a record, so that nothing it can bring is taken for new."""
TIDY_SECONDS = 6 * 3600.0


class Stopped(Exception):
    """We were asked to stop in the middle of a batch; what is not committed comes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inlet:
    """Where records enter a service."""

    db: Database
    group: str
    handlers: Handlers
    stopping: asyncio.Event
    events: Events = field(default_factory=lambda: CATALOG)
    tries: int = TRIES

    async def take(self, records: Iterable[Record]) -> None:
        """Each record has had its effect, or is parked, when this returns; one tenant per transaction.

        Raises Stopped. An outage is waited out.
        """
        by_tenant: dict[str, list[Arrival]] = {}
        for arrival in map(Arrival.of, records):
            if not arrival.is_for(self.group):
                continue
            by_tenant.setdefault(arrival.tenant_id or "", []).append(arrival)
        for tenant_id, arrivals in by_tenant.items():
            for first in range(0, len(arrivals), PER_TRANSACTION):
                await self._take_together(tenant_id, arrivals[first : first + PER_TRANSACTION])

    async def tidy(self) -> None:
        """Notes of events that no log can bring any more are gone."""

        async def purge() -> int:
            async with self.db.transaction() as tx:
                return await inbox.purge(tx, older_than_days=KEEP_INBOX_DAYS)

        await self._through_outages(purge)

    async def _take_together(self, tenant_id: str, arrivals: Sequence[Arrival]) -> None:
        """Plainly first, since nearly all batches hold no poison; then with a savepoint each; then each alone."""

        async def together(savepoints: bool) -> list[Arrival]:
            async with self.db.transaction(tenant_id or None) as tx:
                return await self._apply_all(tx, arrivals, savepoints=savepoints)

        left = list(arrivals)  # what only the commit refuses can be blamed on no single record
        for savepoints in (False, True):
            try:
                left = await self._through_outages(partial(together, savepoints))
                break
            except Stopped:
                raise
            except Exception as error:  # noqa: BLE001  whatever it is, it must not undo its neighbours
                log.info("batch_failed", extra={"error": type(error).__name__, "where": logs.where(error)})
        for arrival in left:
            await self._take_alone(arrival)

    async def _apply_all(self, tx: Transaction, arrivals: Sequence[Arrival], *, savepoints: bool) -> list[Arrival]:
        """Apply what can be applied; returns what failed, and what came after it under the same key.

        Without savepoints the first failure is raised, and undoes all.
        """
        fresh = await inbox.first_times(tx, arrivals)
        if known := sum(arrival.inbox_id not in fresh for arrival in arrivals):
            log.info("already_known", extra={"group": self.group, "count": known})
            _count_known(arrivals, fresh)
        parked = await parking.parked_among(tx, [a.record.key for a in arrivals])
        failed: list[Arrival] = []
        failed_keys: set[str] = set()
        behind: list[Arrival] = []
        for arrival in arrivals:
            if arrival.inbox_id not in fresh:
                continue
            fresh.discard(arrival.inbox_id)
            key = arrival.record.key
            if key in failed_keys:
                failed.append(arrival)
            elif key in parked and await parking.park_behind(tx, arrival):
                behind.append(arrival)
            else:
                try:
                    async with tx.savepoint() if savepoints else nullcontext():
                        await apply(tx, arrival, self.handlers, self.events)
                except Exception as error:
                    if not savepoints or is_transient(error):
                        raise
                    log.info("record_failed", extra={"topic": arrival.record.topic, "error": type(error).__name__})
                    failed.append(arrival)
                    failed_keys.add(key)
        await inbox.forget(tx, [*failed, *behind])
        crashpoint("consumer.applied")
        return failed

    async def _take_alone(self, arrival: Arrival) -> None:
        """One record in a transaction of its own: a few tries, then its key is parked."""

        async def alone() -> None:
            async with self.db.transaction(arrival.tenant_id) as tx:
                await self._apply_one(tx, arrival)

        pauses = waits(0.02)  # all neighbours wait meanwhile
        for attempt in range(1, self.tries + 1):
            try:
                return await self._through_outages(alone)
            except Stopped:
                raise
            except Exception as error:  # noqa: BLE001  whatever it is, it holds up its own key and no other
                if attempt == self.tries or not arrival.readable:
                    return await self._park(arrival, error, attempt)
            await wait(self.stopping, next(pauses))

    async def _apply_one(self, tx: Transaction, arrival: Arrival) -> None:
        if not await inbox.first_time(tx, arrival):
            _count_known([arrival], set())
            return
        if await parking.parked_among(tx, [arrival.record.key]) and await parking.park_behind(tx, arrival):
            await inbox.forget(tx, [arrival])
            return
        await apply(tx, arrival, self.handlers, self.events)

    async def _park(self, arrival: Arrival, error: Exception, attempts: int) -> None:
        reason = parking.reason_of(error) if arrival.readable else parking.NOT_AN_EVENT
        log.error(
            "key_parked",
            extra={
                "event_id": str(arrival.event_id),
                "topic": arrival.record.topic,
                "key": arrival.record.key,
                "reason": reason,
            },
        )

        metrics.PARKED.labels(arrival.record.topic).inc()

        async def park() -> None:
            async with self.db.transaction(arrival.tenant_id) as tx:
                await parking.park(tx, arrival, reason=reason, attempts=attempts)

        await self._through_outages(park)
        crashpoint("parking.parked")

    async def _through_outages(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns or raises; where the database is away, it is done again until it is not."""
        pauses = waits()
        while True:
            if self.stopping.is_set():
                raise Stopped
            try:
                return await work()
            except Exception as error:
                if not is_transient(error):
                    raise
                seconds = next(pauses)
                log.warning(
                    "consumer_waits", extra={"group": self.group, "error": type(error).__name__, "seconds": seconds}
                )
                await wait(self.stopping, seconds)


def _count_known(arrivals: Sequence[Arrival], fresh: Set[UUID]) -> None:
    for arrival in arrivals:
        if arrival.inbox_id not in fresh:
            metrics.DUPLICATES.labels(arrival.record.topic).inc()


async def consume(
    event_log: EventLog,
    *,
    group: str,
    handlers: Handlers,
    db: Database,
    stopping: asyncio.Event,
    events: Events = CATALOG,
) -> None:
    """Until `stopping`: read, take, commit. Ends within `FINISH_SECONDS` or so, having left the group."""
    metrics.announce(handlers)
    uncommitted: dict[TopicPartition, int] = {}
    pauses = waits()
    loop = asyncio.get_running_loop()
    tidy_due = loop.time() + TIDY_SECONDS
    async with event_log.consumer(group, handlers) as member, _a_little_later(stopping) as too_late:
        inlet = Inlet(db=db, group=group, handlers=handlers, stopping=too_late, events=events)
        while not stopping.is_set():
            try:
                polled = await _poll(member, stopping)
            except LogUnavailable as error:
                seconds = next(pauses)
                log.warning("log_unavailable", extra={"group": group, "error": str(error), "seconds": seconds})
                await wait(stopping, seconds)
                continue
            pauses = waits()
            if polled:
                crashpoint("consumer.polled")
            try:
                await inlet.take(record for records in polled.values() for record in records)
                if loop.time() >= tidy_due:
                    await inlet.tidy()
                    tidy_due = loop.time() + TIDY_SECONDS
            except Stopped:
                break
            if polled:
                crashpoint("consumer.taken")
            uncommitted |= {tp: records[-1].offset + 1 for tp, records in polled.items()}
            await _commit(member, uncommitted)


@asynccontextmanager
async def _a_little_later(stopping: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """Set `FINISH_SECONDS` after `stopping`."""
    later = asyncio.Event()

    async def follow() -> None:
        await stopping.wait()
        await asyncio.sleep(FINISH_SECONDS)
        later.set()

    following = asyncio.create_task(follow())
    try:
        yield later
    finally:
        following.cancel()


async def _poll(member: Consumer, stopping: asyncio.Event) -> dict[TopicPartition, list[Record]]:
    """The next records; nothing, at once, when we are to stop."""
    polling = asyncio.create_task(member.poll(timeout_seconds=POLL_SECONDS, max_records=MAX_RECORDS))
    ending = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({polling, ending}, return_when=asyncio.FIRST_COMPLETED)
        return polling.result() if polling.done() else {}
    finally:
        for task in (polling, ending):
            task.cancel()
            with suppress(asyncio.CancelledError, LogUnavailable):
                await task


async def _commit(member: Consumer, uncommitted: dict[TopicPartition, int]) -> None:
    """The log knows how far we are; a partition that moved is its new owner's, an outage leaves it for next time."""
    if not uncommitted:
        return
    try:
        await member.commit(uncommitted)
        uncommitted.clear()
    except PartitionLost as lost:
        log.info("partitions_moved", extra={"count": len(lost.partitions)})
        uncommitted.clear()
    except LogUnavailable as error:
        log.warning("commit_postponed", extra={"error": str(error)})
