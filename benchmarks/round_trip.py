"""A session's rows written by the kernel's transaction, beside the same statement by bare asyncpg.

Both begin, set the tenant, write a session, its revision, its events and its line in the trail in one statement, and
commit: four round trips. One at a time, in turns; the ratio is the median over the rounds.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final, TypeVar

import asyncpg
import sqlalchemy as sa

from benchmarks.figures import Figure, middle
from benchmarks.sessions import session
from benchmarks.stage import Stage
from libs.common import audit, outbox, statements
from libs.common.clock import wall
from libs.common.connections import Pool
from libs.common.db import Database
from libs.common.ids import new_id, uuid7
from services.claims import tables

ROUNDS: Final = 7
SESSIONS: Final = 300
TENANT: Final = "tnt_bench"
T = TypeVar("T")
Writes = list[tuple[sa.Executable, Mapping[str, Any]]]
_BEGIN: Final = (
    "select set_config('parity.tenant_id', $1, true), set_config('parity.practice_ids', '*', true), platform.now()"
)
_SESSION, _REVISION = tables.encounter.insert(), tables.encounter_revision.insert()


async def measure(stage: Stage) -> list[Figure]:
    """The kernel's transaction against bare asyncpg."""
    db = stage.database.open("claims", "api")
    pool = Pool(stage.database.url("claims", "api"), service="claims", keep=1)
    bare = await pool.take()
    rates: list[tuple[float, float]] = []
    for _ in range(ROUNDS + 1):
        ours = await _per_second(lambda writes: _by_kernel(db, writes), [_writes() for _ in range(SESSIONS)])
        same = [_statement(_writes()) for _ in range(SESSIONS)]
        rates.append((ours, await _per_second(lambda one: _by_asyncpg(bare, *one), same)))
    pool.give_back(bare)
    await pool.close()
    await db.close()
    warm = rates[1:]
    seen = f"{middle([ours for ours, _ in warm]):.0f}/s of {middle([theirs for _, theirs in warm]):.0f}/s"
    ratio = middle([ours / theirs for ours, theirs in warm])
    return [Figure(name="a session's rows in one statement, of bare asyncpg", value=ratio, target=0.8, seen=seen)]


async def _per_second(write: Callable[[T], Awaitable[None]], todo: Iterable[T]) -> float:
    began, count = time.perf_counter(), 0
    for one in todo:
        await write(one)
        count += 1
    return count / (time.perf_counter() - began)


async def _by_kernel(db: Database, writes: Writes) -> None:
    async with db.transaction(TENANT) as tx:
        for statement, values in writes:
            tx.later(statement, values)


async def _by_asyncpg(connection: asyncpg.Connection, sql: str, arguments: list[Any]) -> None:
    await connection.execute("begin")
    await connection.fetch(_BEGIN, TENANT)
    await connection.fetchrow(sql, *arguments)
    await connection.execute("commit")


def _statement(writes: Writes) -> tuple[str, list[Any]]:
    """What the kernel makes of the writes."""
    prepared = [statements.prepare(statement, values) for statement, values in writes]
    sql = statements.together(tuple((plan, False) for plan, _ in prepared))
    return sql, [argument for _, arguments in prepared for argument in arguments]


def _writes() -> Writes:
    now, id, detail = wall(), new_id("enc"), session(1)
    kept = {"tenant_id": TENANT, "practice_id": "prc_01", "detail": detail}
    row = {
        "id": id,
        "external_id": id,
        "patient_id": new_id("pat"),
        "service_date": date(2026, 10, 5),
        "status": "charge_ready",
        "revision": 1,
        "version": 1,
        "content_hash": id,
        "natural_key": id,
        "created_at": now,
        "updated_at": now,
    }
    events = {
        "ids": [str(uuid7()) for _ in range(3)],
        "topics": ["claim.updated"] * 3,
        "keys": [id] * 3,
        "tenants": [TENANT] * 3,
        "values": [b"x" * 700] * 3,
    }
    line = {
        "tenants": [TENANT],
        "practices": ["prc_01"],
        "actors": ["bench"],
        "actions": ["claims.create"],
        "types": ["encounter"],
        "subjects": [id],
        "whys": [None],
        "requests": [id],
    }
    return [
        (_SESSION, row | kept),
        (_REVISION, {"encounter_id": id, "revision": 1, "received_at": now} | kept),
        (outbox.INSERT, events),
        (audit.RECORD, line),
    ]
