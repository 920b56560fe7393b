"""Databases that hold the same work once and ten times over, and what work on them costs.

The cost is processor time, of this process and of every backend of the database: what else the machine does at the
moment is not in it. Where the system does not say what a process has used, it is the time on the wall.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import asyncpg

from benchmarks.stage import Stage
from tests.conftest import TestDatabase

HERE = Path("/proc/self/schedstat").is_file()


async def copy(stage: Stage, name: str) -> TestDatabase:
    """A database of its own, with what the stage's holds now; nobody may be connected to that one."""
    await stage.database.close()
    place, _, template = stage.database.admin_url.rpartition("/")
    connection = await asyncpg.connect(f"{place}/postgres")
    try:
        await connection.execute(f'create database "{name}" template "{template}" strategy file_copy')
    finally:
        await connection.close()
    return TestDatabase(f"{place}/{name}", stage.database.keyring_path, stage.database.secrets)


async def multiply(database: TestDatabase, schema: str, tables: Iterable[str], copies: int, patch: str) -> None:
    """Each row of these tables stands `copies` times more, without its triggers; what would be there twice is once.

    `patch` is SQL for the row of copy `k`, as JSON text, from `row`. The oldest copy comes first.
    """
    connection = await asyncpg.connect(database.admin_url)
    try:
        async with connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            for table in tables:
                names = await _columns(connection, schema, table)
                made = ", ".join(f"made.{name}" for name in names)
                await connection.execute(
                    f"insert into {schema}.{table} ({', '.join(names)}) select {made} "
                    f"from generate_series(1, {copies}) k "
                    f"cross join (select to_jsonb(t) as row from {schema}.{table} t) r "
                    f"cross join jsonb_populate_record(null::{schema}.{table}, ({patch})::jsonb) made "
                    "order by k desc on conflict do nothing"
                )
    finally:
        await connection.close()
    await settled(database)


async def settled(database: TestDatabase) -> None:
    """The database has statistics and no rubbish, as one has that has stood for a while."""
    connection = await asyncpg.connect(database.admin_url)
    try:
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


async def _columns(connection: asyncpg.Connection, schema: str, table: str) -> list[str]:
    """Those that are given, not made by the database."""
    rows = await connection.fetch(
        "select column_name from information_schema.columns where table_schema = $1 and table_name = $2 "
        "and identity_generation is distinct from 'ALWAYS' order by ordinal_position",
        schema,
        table,
    )
    return [f'"{row["column_name"]}"' for row in rows]


class Meter:
    """What work on one database costs."""

    def __init__(self, database: TestDatabase) -> None:
        self._database = database
        self._connection: asyncpg.Connection | None = None

    async def of(self, work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
        """Seconds of processor time that the work took here, and in the database."""
        if self._connection is None:
            self._connection = await asyncpg.connect(self._database.admin_url)
        own, theirs, wall = time.process_time(), await self._used(), time.perf_counter()
        await work()
        if not HERE:
            return 0.0, time.perf_counter() - wall
        own = time.process_time() - own
        return own, await self._used() - theirs

    async def _used(self) -> float:
        assert self._connection is not None
        rows = await self._connection.fetch(
            "select pid from pg_stat_activity where datname = current_database() "
            "and backend_type in ('client backend', 'parallel worker') and pid <> pg_backend_pid()"
        )
        return sum(_ran(row["pid"]) for row in rows) if HERE else 0.0

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


def _ran(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except FileNotFoundError:  # it has ended since
        return 0.0
