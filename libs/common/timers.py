"""Work that is due at a business time: one row per (kind, tenant, id), gone when its step has committed.

The row holds ids and times only. A step runs under a session advisory lock on its row's key, so it never runs twice
at once, and a killed worker frees it at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg
import httpx
import sqlalchemy as sa

from libs.common.db import Database, Transaction
from libs.common.sealing import Keyring

log = logging.getLogger(__name__)

TASK_AFTER_ATTEMPTS = 8
LONGEST_BACKOFF_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One piece of work that is due; `at` is the business time it was set for."""

    kind: str
    tenant_id: str
    id: str
    at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a step may use: it opens its own transactions, and reaches the outside through `http`."""

    db: Database
    http: httpx.AsyncClient
    keyring: Keyring
    settings: Any


Step = Callable[[Work, Due], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A kind of due work, and the step that does it."""

    kind: str
    step: Step


async def set(tx: Transaction, kind: str, id: str, *, at: datetime) -> None:
    """`id` is due at `at`, whatever it was set for before."""
    await tx.execute(_SET, {"kind": kind, "tenant": tx.tenant, "id": id, "at": at})
    tx.wakes.add(f"{tx.service}_timer")


async def clear(tx: Transaction, kind: str, id: str) -> None:
    """`id` is no longer due."""
    await tx.execute(_CLEAR, {"kind": kind, "tenant": tx.tenant, "id": id})


async def done(tx: Transaction, due: Due) -> None:
    """This piece of work is finished, unless it has been set anew for another time meanwhile."""
    await tx.execute(_DONE, {"kind": due.kind, "tenant": due.tenant_id, "id": due.id, "at": due.at})


async def count_due(tx: Transaction) -> int:
    """How many pieces of work are due by business time and not done."""
    return int(await tx.scalar(sa.text("select timers_due_count(:now)"), {"now": tx.now}))


class Runner:
    """Runs what is due, some steps side by side, until stopped."""

    def __init__(self, timers: list[Timer], work: Work, *, side_by_side: int = 8) -> None:
        self._steps = {timer.kind: timer.step for timer in timers}
        self._work = work
        self._slots = asyncio.Semaphore(side_by_side)
        self._running: dict[tuple[str, str, str], asyncio.Task[None]] = {}
        self._waker = asyncio.Event()

    def wake(self) -> None:
        self._waker.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`: find due rows, start their steps, sleep until woken or 50 ms have passed."""
        while not stopping.is_set():
            self._waker.clear()
            try:
                found = await self._due()
            except (sa.exc.DBAPIError, OSError, asyncpg.PostgresError) as error:
                log.warning("timers_unavailable", extra={"error": type(error).__name__})
                found = []
                await asyncio.sleep(0.5)
            for due in found:
                key = (due.kind, due.tenant_id, due.id)
                self._running[key] = asyncio.create_task(self._step(due), name=f"timer {due.kind}")
                self._running[key].add_done_callback(partial(self._finished, key))
            await _wait([self._waker, stopping], 0.05)
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=2)

    def _finished(self, key: tuple[str, str, str], _: asyncio.Task[None]) -> None:
        self._running.pop(key, None)
        self._waker.set()

    async def _due(self) -> list[Due]:
        if not self._steps:
            return []
        async with self._work.db.transaction() as tx:
            rows = await tx.all(_FIND, {"now": tx.now, "kinds": list(self._steps), "most": 100})
        found = [
            Due(kind=r["kind"], tenant_id=r["tenant_id"], id=r["id"], at=r["due_at"], attempts=r["attempts"])
            for r in rows
        ]
        return [due for due in found if (due.kind, due.tenant_id, due.id) not in self._running][:32]

    async def _step(self, due: Due) -> None:
        async with self._slots, self._work.db.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            key = {"key": f"{self._work.db.service}/{due.kind}/{due.tenant_id}/{due.id}"}
            if not (await connection.execute(_LOCK, key)).scalar():
                return
            try:
                if (await connection.execute(_STILL, vars_of(due))).scalar():
                    await self._guarded(due)
            finally:
                await connection.execute(_UNLOCK, key)

    async def _guarded(self, due: Due) -> None:
        try:
            await self._steps[due.kind](self._work, due)
        except Exception as error:  # noqa: BLE001  every failure of a step is tried again, later and later
            log.warning("timer_failed", extra={"kind": due.kind, "id": due.id, "error": type(error).__name__})
            await self._postpone(due)

    async def _postpone(self, due: Due) -> None:
        seconds = min(0.25 * 2**due.attempts, LONGEST_BACKOFF_SECONDS)
        async with self._work.db.transaction(due.tenant_id) as tx:
            await tx.execute(_POSTPONE, vars_of(due) | {"seconds": seconds})
            if due.attempts + 1 == TASK_AFTER_ATTEMPTS:
                from libs.common import tasks  # noqa: PLC0415  tasks themselves use the outbox and may set timers

                await tasks.open(
                    tx,
                    reason="work_keeps_failing",
                    subject_type="timer",
                    subject_id=due.id,
                    owner="operations",
                    due_on=tx.today,
                    detail=f"{due.kind} has failed {TASK_AFTER_ATTEMPTS} times; see the worker's log",
                )


def vars_of(due: Due) -> dict[str, Any]:
    return {"kind": due.kind, "tenant": due.tenant_id, "id": due.id, "at": due.at}


async def _wait(events: list[asyncio.Event], seconds: float) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


_SET = sa.text(
    "insert into timer (kind, tenant_id, id, due_at) values (:kind, :tenant, :id, :at) "
    "on conflict (kind, tenant_id, id) do update set due_at = excluded.due_at, attempts = 0, not_before = null"
)
_CLEAR = sa.text("delete from timer where kind = :kind and tenant_id = :tenant and id = :id")
_DONE = sa.text("delete from timer where kind = :kind and tenant_id = :tenant and id = :id and due_at = :at")
_STILL = sa.text("select timer_stands(:kind, :tenant, :id, :at)")
_FIND = sa.text("select * from timers_due(:now, :kinds, :most)")
_POSTPONE = sa.text(
    "update timer set attempts = attempts + 1, not_before = clock_timestamp() + make_interval(secs => :seconds) "
    "where kind = :kind and tenant_id = :tenant and id = :id and due_at = :at"
)
_LOCK = sa.text("select pg_try_advisory_lock(hashtextextended(:key, 0))")
_UNLOCK = sa.text("select pg_advisory_unlock(hashtextextended(:key, 0))")
