"""The relay: what a service has written to its outbox reaches the log, in order, from one leader per service.

Rows are found by their presence and in order of id, never by `id > last`: a transaction that commits late would be
skipped for ever. Lock, append and move share one connection, so a leader that has lost its lock can move nothing.
"""

import asyncio
import logging
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import asyncpg

from libs.common import metrics
from libs.common.crashpoints import crashpoint
from libs.common.log import EventLog, LogRefused
from libs.common.transient import is_transient, wait, waits

log = logging.getLogger(__name__)

BATCH_ROWS = 500
BATCH_BYTES = 4_000_000
POLL_SECONDS = (0.05, 0.25)
"""How often a leader looks although nobody woke it: soon after the last row, less often the longer nothing comes."""
STANDBY_SECONDS = 0.5
STUCK_SECONDS = 5.0
TIDY_SECONDS = 6 * 3600.0
KEEP_LOG_DAYS = 30
IDLE_IN_TRANSACTION_MS = 15_000
"""The server ends a leader that hangs with a batch half done, standby or not: others append to the same partitions."""


@dataclass(slots=True)
class Relay:
    """The relay of one service in one process: leader or standby, as it comes.

    `url` is the worker role's. `stuck_seconds` is how long a leader may leave the oldest row where it is.
    """

    url: str
    schema: str
    event_log: EventLog
    stuck_seconds: float = field(default=STUCK_SECONDS, kw_only=True)
    leading: bool = field(default=False, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`: lead if nobody leads, else stand by. Every failure ends in standing for election again."""
        pauses = waits(0.1)
        while not stopping.is_set():
            connection: asyncpg.Connection | None = None
            try:
                connection = await asyncpg.connect(
                    self.url,
                    timeout=5,
                    command_timeout=60,
                    server_settings={
                        "application_name": f"parity-{self.schema}-relay",
                        "search_path": self.schema,
                        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
                    },
                )
                await self._stand_by(connection, stopping)
                await self._lead(connection, stopping)
                pauses = waits(0.1)
            except Exception as error:
                if not is_transient(error):
                    raise
                seconds = next(pauses)
                log.warning("relay_waits", extra={"error": type(error).__name__, "seconds": seconds})
                await wait(stopping, seconds)
            finally:
                self.leading = False
                if connection is not None:
                    connection.terminate()  # the lock goes with the session

    async def _stand_by(self, connection: asyncpg.Connection, stopping: asyncio.Event) -> None:
        """We hold the lock, or are to stop. A holder that moves nothing for `stuck_seconds` is ended."""
        seen: tuple[int | None, int | None] | None = None
        since = 0.0
        loop = asyncio.get_running_loop()
        while not stopping.is_set():
            if await connection.fetchval(_TRY_LOCK, self._lock_name):
                return
            row = await connection.fetchrow(_HOLDER_AND_OLDEST, self._lock_name)
            now = (row["holder"], row["oldest"])
            if now != seen or row["oldest"] is None:
                seen, since = now, loop.time()
            elif loop.time() - since >= self.stuck_seconds and row["holder"] is not None:
                log.warning("relay_takes_over", extra={"seconds": round(loop.time() - since, 1)})
                await connection.execute("select pg_terminate_backend($1)", row["holder"])
                seen = None
                continue
            await wait(stopping, min(STANDBY_SECONDS, self.stuck_seconds / 4))

    async def _lead(self, connection: asyncpg.Connection, stopping: asyncio.Event) -> None:
        """What is in the outbox moves, until we are to stop or something fails."""
        if stopping.is_set():
            return
        self.leading = True
        log.info("relay_leads", extra={"service": self.schema})
        await connection.add_listener(f"{self.schema}_outbox", self._on_notice)
        loop = asyncio.get_running_loop()
        tidy_due = loop.time()
        pause = POLL_SECONDS[0]
        while not stopping.is_set():
            if loop.time() >= tidy_due:
                await self._tidy(connection)
                tidy_due = loop.time() + TIDY_SECONDS
            self._wake.clear()
            rows, octets = await self._move(connection)
            if rows == BATCH_ROWS or octets * 2 > BATCH_BYTES:
                continue  # there may well be more
            pause = POLL_SECONDS[0] if rows else min(pause * 1.3, POLL_SECONDS[1])
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _tidy(self, connection: asyncpg.Connection) -> None:
        """There is room for this month's and the next month's archive, and the log has let go of what is old."""
        await connection.execute("select ensure_sent_partitions()")
        with suppress(LogRefused):  # a service that has no part in the log has nothing to tidy there
            await self.event_log.trim(KEEP_LOG_DAYS)

    async def _move(self, connection: asyncpg.Connection) -> tuple[int, int]:
        """The oldest rows are in the log and in `sent`; how many, and how many bytes."""
        ids, octets = await connection.fetchrow(_OLDEST, BATCH_ROWS)
        if not ids:
            return 0, 0
        upto = list(accumulate(octets))
        ids = ids[: bisect_left(upto, BATCH_BYTES) + 1]  # the row that reaches the limit still goes
        crashpoint("relay.read")
        async with connection.transaction():
            await self.event_log.move_rows(connection, ids)
            crashpoint("relay.published")
        crashpoint("relay.moved")
        metrics.RELAYED.inc(len(ids))
        return len(ids), upto[len(ids) - 1]

    def _on_notice(self, *_: Any) -> None:
        self._wake.set()

    @property
    def _lock_name(self) -> str:
        return f"relay/{self.schema}"


_TRY_LOCK = "select pg_try_advisory_lock(hashtextextended($1, 0))"
_HOLDER_AND_OLDEST = """
    select (select min(id) from outbox) as oldest, (
        select pid from pg_locks
        where locktype = 'advisory' and granted and objsubid = 1
          and database = (select oid from pg_database where datname = current_database())
          and (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 0)
    ) as holder
"""
_OLDEST = """
    select coalesce(array_agg(id order by id), '{}'), coalesce(array_agg(octet_length(value) order by id), '{}')
    from (select id, value from outbox order by id limit $1) oldest
"""
