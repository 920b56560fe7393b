"""From the commit that tells an event to the commit of its consumer, at 1,000 events a second on the embedded log.

The workers are the services' own: claims relays, reporting keeps and projects. Both moments are Postgres's own
commit times (`track_commit_timestamp`): of the transaction that wrote the outbox row, and of the one that wrote the
record. Rounds of a few seconds each; the figure is the median of the rounds' p99, and p50 and the machine's load
stand beside it, because whatever else runs on the machine is in the tail.
"""

import asyncio
import os
import statistics

import asyncpg
import sqlalchemy as sa

from benchmarks.events import told
from benchmarks.figures import Figure, middle
from benchmarks.stage import Stage
from libs.common import outbox
from libs.common.db import Database

PER_SECOND = 1000
SECONDS = 5
ROUNDS = 5
WRITERS = 8
TENANT = "tnt_bench"

Delays = list[float]


async def measure(stage: Stage) -> list[Figure]:
    """The 99th percentile of the delay, in milliseconds."""
    await stage.as_admin("alter system set track_commit_timestamp = on")
    stage.cluster.restart()
    database = stage.database.open("claims")
    try:
        with stage.worker("claims"), stage.worker("reporting"):
            rounds = [await _round(stage, database) for _ in range(ROUNDS + 1)][1:]
    finally:
        await stage.database.close()
    seen = f"p50 {middle([_of(r, 50) for r in rounds]):.1f} ms, best p99 {min(_of(r, 99) for r in rounds):.1f} ms, load"
    value = middle([_of(r, 99) for r in rounds])
    name = "end to end at 1,000 events a second, p99 in ms"
    return [Figure(name=name, value=value, target=25, at_most=True, seen=f"{seen} {os.getloadavg()[0]:.1f}")]


def _of(delays: Delays, percent: int) -> float:
    return statistics.quantiles(delays, n=100)[percent - 1]


async def _round(stage: Stage, database: Database) -> Delays:
    """The delays, in milliseconds, of what has been told in a few seconds at an even pace."""
    committed: dict[str, int] = {}
    count = PER_SECOND * SECONDS
    began = asyncio.get_running_loop().time()
    numbers = iter(range(count))

    async def write() -> None:
        for number in numbers:
            await asyncio.sleep(began + number / PER_SECOND - asyncio.get_running_loop().time())
            async with database.transaction(TENANT) as tx:
                event_id = await outbox.add(tx, told(number), sequence=1)
                committed[event_id] = await tx.scalar(_OWN_XID)

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    admin = await asyncpg.connect(stage.database.admin_url)
    try:
        async with asyncio.timeout(60):
            while (await admin.fetchval("select count(*) from reporting.record")) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        found = await admin.fetch(_DELAYS, list(committed), list(committed.values()))
        await admin.execute("truncate reporting.record")
    finally:
        await admin.close()
    assert len(found) == count, "an event has been lost, or came twice"
    return [float(row["delay"]) * 1000 for row in found]


_OWN_XID = sa.text("select pg_current_xact_id()::text::bigint % 4294967296")
_DELAYS = """
    select extract(epoch from pg_xact_commit_timestamp(r.xmin) - pg_xact_commit_timestamp(told.xid::text::xid)) as delay
    from unnest($1::text[], $2::bigint[]) told(id, xid) join reporting.record r on r.event_id = told.id::uuid
"""
