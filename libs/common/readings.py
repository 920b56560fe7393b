"""What stands in a service's schema and its part of the log, read at most once in a while and only by indexes.

Every worker of a service reads the same figures, so whoever adds them up takes the largest, not the sum.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest

from libs.common.composition import Reading, Service
from libs.common.db import Database
from libs.common.log import EventLog, LogUnavailable
from libs.common.transient import is_transient

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 5.0
"""So long the delivery figures are good; a service says for itself how long its own are."""
COUNTED: Final = 10_000
"""So many rows of the outbox are counted one by one; beyond that their number is told from their ids."""
AWAY: Final = (sa.exc.DBAPIError, sa.exc.TimeoutError, OSError, LogUnavailable)


async def flow(service: Service, db: Database, event_log: EventLog) -> dict[str, Any]:
    """What tells whether this service is quiet: nothing unsent, unread, due, parked or in doubt.

    `told` is the number of the last event that left: where nobody tells anything new, nothing moves.
    """
    lag = await event_log.lag(service.name, list(service.consumes)) if service.consumes else {}
    async with db.transaction() as tx:
        counters = await service.flow(tx) if service.flow else {}
        row = await tx.one(_FLOW, {"now": tx.now})
        return {
            **row,
            "lag": sum(lag.values()),
            "in_doubt": counters.pop("in_doubt", 0),
            "counters": counters,
        }


class Readings:
    """The figures of one worker's database and log, as gauges; each is read again when it is too old."""

    def __init__(self, service: Service, db: Database, event_log: EventLog) -> None:
        self._service = service
        self._db = db
        self._log = event_log
        self._reading = asyncio.Lock()
        self._kept: dict[str, tuple[float, list[GaugeMetricFamily]]] = {}
        self._gauges: Sequence[GaugeMetricFamily] = ()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._gauges

    async def text(self) -> bytes:
        """The gauges in Prometheus' text format; what cannot be read now is left out, and `up` says so."""
        async with self._reading:
            found = [gauge async for gauges in self._all() for gauge in gauges]
            self._gauges = found
            return generate_latest(self._registry)

    async def _all(self) -> AsyncIterator[list[GaugeMetricFamily]]:
        up = 1
        parts = (
            (EVERY_SECONDS, "delivery", self._delivery),
            (EVERY_SECONDS, "lag", self._lag),
            *((one.every_seconds, one.name, lambda one=one: self._own(one)) for one in self._service.readings),
        )
        for every, name, read in parts:
            at, gauges = self._kept.get(name, (float("-inf"), []))
            if time.monotonic() - at >= every:
                try:
                    gauges = await read()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    log.warning("reading_failed", extra={"kind": name, "error": type(error).__name__})
                    up, gauges = 0, []
                else:
                    self._kept[name] = (time.monotonic(), gauges)
            yield gauges
        yield [_gauge("parity_readings_up", "1 where the database and the log answered.", up)]

    async def _delivery(self) -> list[GaugeMetricFamily]:
        async with self._db.transaction() as tx:
            row = await tx.one(_DELIVERY, {"now": tx.now, "counted": COUNTED})
        return [_gauge(f"parity_{name}", words, row[name]) for name, words in _WORDS.items()]

    async def _lag(self) -> list[GaugeMetricFamily]:
        found = GaugeMetricFamily(
            "parity_consumer_lag", "Events that this group has not committed yet.", labels=("group", "topic")
        )
        if not self._service.consumes:
            return [found]
        behind = dict.fromkeys(self._service.consumes, 0)
        for partition, records in (await self._log.lag(self._service.name, list(behind))).items():
            behind[partition.topic] += records
        for topic, records in sorted(behind.items()):
            found.add_metric((self._service.name, topic), records)
        return [found]

    async def _own(self, one: Reading) -> list[GaugeMetricFamily]:
        found = GaugeMetricFamily(one.name, one.words, labels=one.labels)
        async with self._db.transaction() as tx:
            for labels, value in (await one.read(tx)).items():
                found.add_metric(labels, value)
        return [found]


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


_WORDS: Final = {
    "outbox_unsent": "Events that are written and not in the log yet.",
    "outbox_oldest_seconds": "Age of the oldest event that is written and not in the log yet.",
    "parked_keys": "Keys that wait for a person because one of their events cannot be applied.",
    "parked_oldest_seconds": "How long the longest parked key has been waiting.",
    "timers_due": "Pieces of work that are due by business time and not done.",
    "timers_failing": "Pieces of due work that have failed three times or more.",
}
_FLOW = sa.text(
    f"select (select count(*) from (select from outbox limit {COUNTED}) o) as outbox, "
    "(select count(distinct key) from parked) as parked, "
    "(select coalesce(max(id), 0) from sent) as told, timers_due_count(:now) as timers_due"
)
"""By indexes only, and of the outbox no more than `COUNTED`, so that a look costs the same after a million events."""
_DELIVERY = sa.text("""
    with counted as (select count(*) as n from (select from outbox limit :counted) o),
         ends as (select min(id) as first, max(id) as last from outbox)
    select case when counted.n < :counted then counted.n else ends.last - ends.first + 1 end as outbox_unsent,
        coalesce((select extract(epoch from clock_timestamp() - created_at) from outbox where id = ends.first), 0)
            as outbox_oldest_seconds,
        (select count(distinct key) from parked) as parked_keys,
        coalesce((select extract(epoch from clock_timestamp() - parked_at) from parked order by id limit 1), 0)
            as parked_oldest_seconds,
        timers_due_count(:now) as timers_due,
        timers_failing_count() as timers_failing
    from counted, ends
""")
