"""From the commit that tells an event to the commit of its consumer, at 1,000 events a second on the embedded log.

The workers are the services' own: claims relays, reporting keeps and projects. All moments are Postgres's own commit
times (`track_commit_timestamp`): of the transaction that wrote the outbox row, of the one that moved it into the log,
and of the one that wrote the record. Rounds of a few seconds each; the figure is the median of the rounds' p99, and
p50, the part until the log and the machine's load stand beside it, because whatever else runs is in the tail.

Who tells the events shares the machine with what is measured, so it does as little as can be: rows that are made before
the round, one statement and one commit each. (Told through the services' own transactions, they took more of two
processors than the relay and the consumer together, and the tail was theirs.)
"""

import asyncio
import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg

from benchmarks.events import Row, rows
from benchmarks.figures import Figure, middle
from benchmarks.stage import Stage

PER_SECOND = 1000
SECONDS = 5
ROUNDS = 5
WRITERS = 8
COALESCED_SECONDS = 0.002
"""As long as a service waits after it has woken its relay."""


@dataclass(frozen=True, slots=True)
class Round:
    """Delays in milliseconds, from the commit of what told the event."""

    logged: list[float]
    done: list[float]
    per_second: float


async def measure(stage: Stage) -> list[Figure]:
    """The 99th percentile of the delay, in milliseconds."""
    await stage.as_admin("alter system set track_commit_timestamp = on")
    stage.cluster.restart()
    with stage.worker("claims"), stage.worker("reporting"):
        rounds = [await _round(stage) for _ in range(ROUNDS + 1)][1:]
    done, logged = ([[_of(getattr(r, part), p) for r in rounds] for p in (50, 99)] for part in ("done", "logged"))
    value = middle(done[1])
    seen = (
        f"p50 {middle(done[0]):.1f} ms, best p99 {min(done[1]):.1f} ms; in the log p50 {middle(logged[0]):.1f} ms, "
        f"p99 {middle(logged[1]):.1f} ms; told {middle([r.per_second for r in rounds]):.0f}/s, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    name = "end to end at 1,000 events a second, p99 in ms"
    return [Figure(name=name, value=value, target=25, at_most=True, seen=seen)]


def _of(delays: list[float], percent: int) -> float:
    return statistics.quantiles(delays, n=100)[percent - 1]


async def _round(stage: Stage) -> Round:
    """What became of events that were told for a few seconds at an even pace."""
    told = rows(PER_SECOND * SECONDS)
    seconds, committed = await _tell(stage, told)
    admin = await asyncpg.connect(stage.database.admin_url)
    try:
        async with asyncio.timeout(60):
            while (await admin.fetchval("select count(*) from reporting.record")) < len(told):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        found = await admin.fetch(_DELAYS, list(committed), list(committed.values()))
        await admin.execute("truncate reporting.record")
    finally:
        await admin.close()
    assert len(found) == len(told), "an event has been lost, or came twice"
    logged, done = ([float(row[name]) * 1000 for row in found] for name in ("logged", "done"))
    return Round(logged, done, len(told) / seconds)


async def _tell(stage: Stage, told: list[Row]) -> tuple[float, dict[str, int]]:
    """Seconds, and the transaction that told each event; the relay is woken as the services wake it."""
    loop = asyncio.get_running_loop()
    committed: dict[str, int] = {}
    wake = asyncio.Event()
    numbered = enumerate(told)
    began = loop.time()

    async def write(numbered: Iterator[tuple[int, Row]]) -> None:
        writer = await _connected(stage)
        tell = await writer.prepare(_TELL)
        for number, row in numbered:
            if (early := began + number / PER_SECOND - loop.time()) > 0:
                await asyncio.sleep(early)
            committed[row[0]] = await tell.fetchval(*row)
            wake.set()
        await writer.close()

    async def notify() -> None:
        waker = await _connected(stage)
        while True:
            await wake.wait()
            wake.clear()
            await waker.execute("select set_config('synchronous_commit', 'off', true), pg_notify('claims_outbox', '')")
            await asyncio.sleep(COALESCED_SECONDS)

    waking = asyncio.create_task(notify())
    await asyncio.gather(*(write(numbered) for _ in range(WRITERS)))
    seconds = loop.time() - began
    waking.cancel()
    return seconds, committed


async def _connected(stage: Stage) -> asyncpg.Connection:
    return await asyncpg.connect(stage.database.url("claims", "worker"), server_settings={"search_path": "claims"})


_TELL = """
    insert into outbox (event_id, topic, key, tenant_id, value) values ($1, $2, $3, $4, $5)
    returning pg_current_xact_id()::text::bigint % 4294967296
"""
_DELAYS = """
    select extract(epoch from pg_xact_commit_timestamp(s.xmin) - told.at) as logged,
        extract(epoch from pg_xact_commit_timestamp(r.xmin) - told.at) as done
    from (
        select t.id::uuid, pg_xact_commit_timestamp(t.xid::text::xid) as at
        from unnest($1::text[], $2::bigint[]) t(id, xid)
    ) told join claims.sent s on s.event_id = told.id join reporting.record r on r.event_id = told.id
"""
