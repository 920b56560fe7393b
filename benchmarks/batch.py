"""`POST /v1/encounters:batch` with 1,000 sessions, beside a bare COPY of the rows that it writes.

The API is a process of its own and everything is on; the practice is known to it. After each batch the tables hold
that batch's rows and no others: they are copied out, taken away, and copied in again in one transaction by the
server's owner (COPY is refused to a service, because of row-level security). In turns; the median of the rounds.
"""

import io
import time

import asyncpg

from benchmarks.client import drive
from benchmarks.figures import Figure, middle
from benchmarks.sessions import know_practice, post, session
from benchmarks.stage import Stage

SESSIONS = 1_000
ROUNDS = 5
TENANT = "tnt_bench"
WRITTEN = (
    "encounter",
    "encounter_revision",
    "claim",
    "claim_history",
    "outbox",
    "timer",
    "task",
    "audit",
    "idempotency",
)


async def measure(stage: Stage) -> list[Figure]:
    """Sessions a second by batches, against the same rows by COPY."""
    await know_practice(stage, TENANT)
    ratios, rates = [], []
    connection = await asyncpg.connect(stage.database.admin_url)
    try:
        with stage.api("claims") as port:
            for number in range(ROUNDS + 1):
                await connection.execute(_EMPTY)
                bodies = [session(n) for n in range(number * SESSIONS, (number + 1) * SESSIONS)]
                batch = await drive(
                    port, [post(stage, TENANT, "/v1/encounters:batch", bodies)], connections=1, expected=207
                )
                seconds = await _copied(connection)
                if number:  # the first one warms up
                    ratios.append(seconds / batch.seconds)
                    rates.append((SESSIONS / batch.seconds, SESSIONS / seconds))
    finally:
        await connection.close()
    seen = f"{middle([ours for ours, _ in rates]):.0f} of {middle([bare for _, bare in rates]):.0f} sessions/s"
    return [Figure(name="batch of 1,000, of a bare COPY", value=middle(ratios), target=0.3, seen=seen)]


async def _copied(connection: asyncpg.Connection) -> float:
    """Seconds that a COPY of what the tables hold takes, into the same tables, committed."""
    held = {}
    for table in WRITTEN:
        held[table] = io.BytesIO()
        await connection.copy_from_table(table, schema_name="claims", output=held[table], format="binary")
        held[table].seek(0)
    count = await connection.fetchval("select count(*) from claims.claim")
    assert count == SESSIONS, f"{count} claims, so not all sessions were taken"
    await connection.execute(_EMPTY)
    began = time.perf_counter()
    async with connection.transaction():
        for table, rows in held.items():
            await connection.copy_to_table(table, schema_name="claims", source=rows, format="binary")
    return time.perf_counter() - began


_EMPTY = f"truncate {', '.join(f'claims.{table}' for table in WRITTEN)} cascade"
