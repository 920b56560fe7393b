"""Due work is done once it is due by business time, once only, and again where it failed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from libs.common import telemetry, timers
from libs.common.db import Database
from libs.common.timers import Due, Runner, Timer, Work
from tests.calls import NOON
from tests.common.conftest import Rows
from tests.conftest import TestDatabase

KIND = "reporting.test"


@asynccontextmanager
async def running(database: TestDatabase, *steps: Timer, count: int = 1) -> AsyncIterator[Database]:
    """Workers that do what is due, until the block ends."""
    stopping = asyncio.Event()
    db = database.open("reporting", pool=20)
    async with httpx.AsyncClient() as http:
        work = Work(db=db, http=http, keyring=database.keyring, settings=None)
        runs = [asyncio.create_task(Runner(list(steps), work).run(stopping)) for _ in range(count)]
        try:
            yield db
        finally:
            stopping.set()
            await asyncio.gather(*runs)


async def eventually(db: Database, left: int, *, tenant: str = "tnt_a") -> None:
    for _ in range(200):
        async with db.transaction(tenant) as tx:
            if await tx.scalar(sa.text("select count(*) from timer")) == left:
                return
        await asyncio.sleep(0.02)
    pytest.fail(f"not {left} timers left")


async def test_what_is_due_is_done_and_what_is_not_yet_waits(fresh_database: TestDatabase) -> None:
    done: list[str] = []

    async def step(work: Work, due: Due) -> None:
        async with work.db.transaction(due.tenant_id) as tx:
            done.append(due.id)
            await timers.done(tx, due)

    async with running(fresh_database, Timer(kind=KIND, step=step)) as db:
        async with db.transaction("tnt_a") as tx:
            await timers.set(tx, KIND, "now", at=tx.now)
            await timers.set(tx, KIND, "tomorrow", at=tx.now + timedelta(days=1))
        await eventually(db, 1)
    assert done == ["now"]


async def test_two_workers_never_do_the_same_work_at_once_or_twice(fresh_database: TestDatabase) -> None:
    running_now: set[str] = set()
    done: list[str] = []

    async def step(work: Work, due: Due) -> None:
        assert due.id not in running_now
        running_now.add(due.id)
        await asyncio.sleep(0.01)
        async with work.db.transaction(due.tenant_id) as tx:
            await timers.done(tx, due)
        done.append(due.id)
        running_now.remove(due.id)

    async with running(fresh_database, Timer(kind=KIND, step=step), count=2) as db:
        async with db.transaction("tnt_a") as tx:
            for number in range(40):
                await timers.set(tx, KIND, f"x_{number:02d}", at=tx.now)
        await eventually(db, 0)
    assert sorted(done) == [f"x_{number:02d}" for number in range(40)]


async def test_work_that_fails_is_tried_again_and_never_dropped(fresh_database: TestDatabase) -> None:
    tries = 0

    async def step(work: Work, due: Due) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise RuntimeError("the payer is away")
        async with work.db.transaction(due.tenant_id) as tx:
            await timers.done(tx, due)

    async with running(fresh_database, Timer(kind=KIND, step=step)) as db:
        async with db.transaction("tnt_a") as tx:
            await timers.set(tx, KIND, "x", at=tx.now)
        await eventually(db, 0)
    assert tries == 3


async def test_work_set_anew_while_it_runs_is_done_again(fresh_database: TestDatabase) -> None:
    seen: list[Due] = []

    async def step(work: Work, due: Due) -> None:
        async with work.db.transaction(due.tenant_id) as tx:
            if not seen:
                await timers.set(tx, KIND, due.id, at=due.at + timedelta(microseconds=1))
            seen.append(due)
            await timers.done(tx, due)

    async with running(fresh_database, Timer(kind=KIND, step=step)) as db:
        async with db.transaction("tnt_a") as tx:
            await timers.set(tx, KIND, "x", at=tx.now - timedelta(days=1))
        await eventually(db, 0)
    assert len(seen) == 2


async def test_a_tenant_whose_work_waits_for_somebody_keeps_no_other_tenant_waiting(
    fresh_database: TestDatabase,
) -> None:
    answered = asyncio.Event()
    begun: Counter[str] = Counter()

    async def step(work: Work, due: Due) -> None:
        begun[due.tenant_id] += 1
        if due.tenant_id == "tnt_a":
            await answered.wait()
        async with work.db.transaction(due.tenant_id) as tx:
            await timers.done(tx, due)

    async with running(fresh_database, Timer(kind=KIND, step=step, each_tenant=3)) as db:
        async with db.transaction("tnt_a") as tx:
            for number in range(300):
                await timers.set(tx, KIND, f"x_{number}", at=tx.now - timedelta(days=1))
        async with db.transaction("tnt_b") as tx:
            for number in range(5):
                await timers.set(tx, KIND, f"x_{number}", at=tx.now)
        await eventually(db, 0, tenant="tnt_b")
        assert begun == {"tnt_a": 3, "tnt_b": 5}
        answered.set()
        await eventually(db, 0)


async def test_a_worker_lets_be_for_a_moment_what_another_has_in_hand(fresh_database: TestDatabase) -> None:
    tried = 0

    async def step(work: Work, due: Due) -> None:
        await asyncio.sleep(1)
        async with work.db.transaction(due.tenant_id) as tx:
            await timers.done(tx, due)

    def counted(loop: asyncio.AbstractEventLoop, coro: Any, **more: Any) -> "asyncio.Task[Any]":
        nonlocal tried
        tried += coro.__name__ == "_step"
        return asyncio.Task(coro, loop=loop, **more)

    asyncio.get_running_loop().set_task_factory(counted)
    try:
        async with running(fresh_database, Timer(kind=KIND, step=step), count=2) as db:
            async with db.transaction("tnt_a") as tx:
                await timers.set(tx, KIND, "x", at=tx.now)
            await eventually(db, 0)
    finally:
        asyncio.get_running_loop().set_task_factory(None)  # the loop is that of other tests, too
    assert 2 <= tried <= 8


async def test_a_step_goes_on_with_the_trace_in_which_it_was_set(fresh_database: TestDatabase) -> None:
    seen: list[str | None] = []

    async def step(work: Work, due: Due) -> None:
        seen.append(telemetry.current())
        async with work.db.transaction(due.tenant_id) as tx:
            await timers.done(tx, due)

    async with running(fresh_database, Timer(kind=KIND, step=step)) as db:
        with telemetry.span("who sets it"):
            setting = telemetry.current()
            async with db.transaction("tnt_a") as tx:
                await timers.set(tx, KIND, "x", at=tx.now)
        await eventually(db, 0)
    assert setting is not None
    (done,) = seen
    assert done is not None
    assert done.split("-")[1] == setting.split("-")[1]


async def test_what_is_set_last_holds_whatever_is_written_together(worker: Database, tenant: str, rows: Rows) -> None:
    """Set twice, set and cleared, cleared and set again, done and set anew, in one unit of work."""
    early, late = NOON, NOON + timedelta(hours=1)
    async with worker.transaction(tenant) as tx:
        await timers.set(tx, "test.due", "twice", at=early)
        await timers.set(tx, "test.due", "twice", at=late)
        await timers.set(tx, "test.due", "cleared", at=early)
        await timers.clear(tx, "test.due", "cleared")
        await timers.set(tx, "test.due", "again", at=early)
        await timers.clear(tx, "test.due", "again")
        await timers.set(tx, "test.due", "again", at=late)
        due = Due(kind="test.due", tenant_id=tenant, id="anew", at=early, attempts=0)
        await timers.set(tx, "test.due", "anew", at=early)
        await timers.done(tx, due)
        await timers.set(tx, "test.due", "anew", at=late)
    assert {row["id"]: row["due_at"] for row in await rows.of("timer")} == dict.fromkeys(
        ("again", "anew", "twice"), late
    )
