"""Work that is due at a business time: one row per (kind, tenant, id), gone when its step has committed.

The row holds ids and times only. A step runs under a session advisory lock on its row's key, so it never runs twice
at once, and a killed worker frees it at once.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg
import httpx
import sqlalchemy as sa

from libs.common import metrics, telemetry
from libs.common.crashpoints import crashpoint
from libs.common.db import Database, Transaction
from libs.common.sealing import Keyring
from libs.common.transient import is_transient

log = logging.getLogger(__name__)

TASK_AFTER_ATTEMPTS = 8
LONGEST_BACKOFF_SECONDS = 60
POLL_SECONDS = 0.5
"""The floor: what sets a timer, and what moves the clock, wakes the runner by a notification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One piece of work that is due; `at` is the business time it was set for."""

    kind: str
    tenant_id: str
    id: str
    at: datetime
    attempts: int
    traceparent: str | None = None
    """The trace in which it was set."""


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
    each_tenant: int | None = None
    """How many of them run side by side for one tenant, where somebody may be waited for long; no limit if None."""


async def set(tx: Transaction, kind: str, id: str, *, at: datetime) -> None:
    """`id` is due at `at`, whatever it was set for before."""
    values = {"kind": kind, "tenant": tx.tenant, "id": id, "at": at, "trace": telemetry.current()}
    tx.later(_SET, values)
    tx.wakes.add(f"{tx.service}_timer")


async def clear(tx: Transaction, kind: str, id: str) -> None:
    """`id` is no longer due."""
    tx.later(_CLEAR, {"kind": kind, "tenant": tx.tenant, "id": id})


async def done(tx: Transaction, due: Due) -> None:
    """This piece of work is finished, unless it has been set anew for another time meanwhile."""
    tx.later(_DONE, {"kind": due.kind, "tenant": due.tenant_id, "id": due.id, "at": due.at})


async def count_due(tx: Transaction) -> int:
    """How many pieces of work are due by business time and not done."""
    return int(await tx.scalar(sa.text("select timers_due_count(:now)"), {"now": tx.now}))


class Runner:
    """Runs what is due, many steps side by side, until stopped."""

    def __init__(self, timers: list[Timer], work: Work, *, side_by_side: int = 64) -> None:
        self._steps = {timer.kind: timer.step for timer in timers}
        self._shares = {timer.kind: timer.each_tenant for timer in timers if timer.each_tenant is not None}
        self._work = work
        self._most = side_by_side
        self._running: dict[tuple[str, str, str], asyncio.Task[bool]] = {}
        self._waker = asyncio.Event()
        self._claims = _Claims(work.db)

    def wake(self) -> None:
        self._waker.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`: find due rows, start their steps, sleep until woken, or for half a second."""
        while not stopping.is_set():
            self._waker.clear()
            try:
                for due in await self._due():
                    self._start(due)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("timers_unavailable", extra={"error": type(error).__name__})
                await asyncio.sleep(0.5)
            await _wait([self._waker, stopping], POLL_SECONDS)
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=2)
        await self._claims.close()

    def _start(self, due: Due) -> None:
        key = (due.kind, due.tenant_id, due.id)
        task = asyncio.create_task(self._step(due), name=f"timer {due.kind}")
        self._running[key] = task
        task.add_done_callback(partial(self._finished, key))

    def _finished(self, key: tuple[str, str, str], task: asyncio.Task[bool]) -> None:
        """A hand is free, and looks for more at once; what another worker has in hand is left alone for a moment."""
        self._running.pop(key, None)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.warning("timers_unavailable", extra={"kind": key[0], "error": type(error).__name__})
        elif task.result():
            self._waker.set()

    async def _due(self) -> list[Due]:
        """What may start now: no more than there are free hands, and of each tenant no more than its share."""
        chosen: list[Due] = []
        in_hand = {*self._running}
        shares = Counter((kind, tenant) for kind, tenant, _ in in_hand)
        left_out = bool(self._steps)
        while left_out and len(in_hand) < self._most:
            left_out = False
            served = [f"{kind}/{tenant}" for (kind, tenant), count in shares.items() if count >= self._share(kind)]
            for due in await self._listed(served):
                key = (due.kind, due.tenant_id, due.id)
                if key in in_hand:
                    continue
                if shares[key[:2]] >= self._share(due.kind):
                    left_out = True
                elif len(in_hand) < self._most:
                    chosen.append(due)
                    in_hand.add(key)
                    shares[key[:2]] += 1
        return chosen

    def _share(self, kind: str) -> int:
        return self._shares.get(kind, self._most)

    async def _listed(self, served: list[str]) -> list[Due]:
        async with self._work.db.transaction() as tx:
            rows = await tx.all(
                _FIND, {"now": tx.now, "kinds": list(self._steps), "most": self._most * 2, "served": served}
            )
        return [
            Due(
                kind=r["kind"],
                tenant_id=r["tenant_id"],
                id=r["id"],
                at=r["due_at"],
                attempts=r["attempts"],
                traceparent=r["traceparent"],
            )
            for r in rows
        ]

    async def _step(self, due: Due) -> bool:
        """The step has run; False where another worker has it in hand, or has done it."""
        if not await self._claims.take(due):
            return False
        try:
            await self._guarded(due)
        finally:
            await self._claims.give_back(due)
        return True

    async def _guarded(self, due: Due) -> None:
        crashpoint("timer.begun")
        try:
            with telemetry.span(due.kind, parent=due.traceparent), metrics.timer(due.kind):
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


class _Claims:
    """Session advisory locks on the work in hand, all on one connection: a killed worker gives them back at once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._one_at_a_time = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None

    async def take(self, due: Due) -> bool:
        """Nobody else does this piece of work until it is given back; False where somebody has, or has done it."""
        async with self._one_at_a_time:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self._db.url, timeout=5, command_timeout=10, server_settings={"search_path": self._db.service}
                )
            taken = await self._connection.fetchval(_TAKE, self._key(due))
            if taken and not await self._connection.fetchval(_STILL, due.kind, due.tenant_id, due.id, due.at):
                await self._connection.fetchval(_GIVE_BACK, self._key(due))
                return False
            return bool(taken)

    async def give_back(self, due: Due) -> None:
        async with self._one_at_a_time:
            if self._connection is not None and not self._connection.is_closed():
                await self._connection.fetchval(_GIVE_BACK, self._key(due))

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()

    def _key(self, due: Due) -> str:
        return f"{self._db.service}/{due.kind}/{due.tenant_id}/{due.id}"


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
    r"insert into timer (kind, tenant_id, id, due_at, traceparent) "
    r"values (:kind\:\:text, :tenant\:\:text, :id\:\:text, :at\:\:timestamptz, :trace\:\:text) "
    "on conflict (kind, tenant_id, id) do update set due_at = excluded.due_at, traceparent = excluded.traceparent, "
    "attempts = 0, not_before = null"
)
_CLEAR = sa.text("delete from timer where kind = :kind and tenant_id = :tenant and id = :id")
_DONE = sa.text("delete from timer where kind = :kind and tenant_id = :tenant and id = :id and due_at = :at")
_TAKE = "select pg_try_advisory_lock(hashtextextended($1, 0))"
_GIVE_BACK = "select pg_advisory_unlock(hashtextextended($1, 0))"
_STILL = "select timer_stands($1, $2, $3, $4)"
_FIND = sa.text("select * from timers_due(:now, :kinds, :most, :served)")
_POSTPONE = sa.text(
    "update timer set attempts = attempts + 1, not_before = clock_timestamp() + make_interval(secs => :seconds) "
    "where kind = :kind and tenant_id = :tenant and id = :id and due_at = :at"
)
