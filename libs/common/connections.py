"""A process's connections to its schema: opened when needed, kept for the next, given up when anything is odd.

Nothing is asked of the database when one is taken or given back: whatever a transaction sets ends with it.
"""

import asyncio
import logging
from typing import Any

import asyncpg
import orjson
import sqlalchemy as sa

from libs.common import statements, traced_sql

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5
WAIT_SECONDS = 10


class Pool:
    """At most twice `keep` connections, of which `keep` stay; the one that was used last is taken first."""

    def __init__(self, url: str, *, service: str, keep: int) -> None:
        self._url = url
        self._service = service
        self._keep = keep
        self._free: list[asyncpg.Connection] = []
        self._places = asyncio.Semaphore(2 * keep)
        self._closed = False

    async def take(self) -> asyncpg.Connection:
        """A connection that nobody else has. Raises what SQLAlchemy would raise: DBAPIError, TimeoutError."""
        await self._place()
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
        try:
            return await self._connect()
        except statements.FAILURES as error:
            self._places.release()
            raise statements.wrapped(error) from error
        except BaseException:
            self._places.release()
            raise

    async def _place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()  # at once
            return
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise sa.exc.TimeoutError("no connection was free") from None

    def give_back(self, connection: asyncpg.Connection) -> None:
        """It is free for the next; one that is not at rest is cut off, which undoes whatever it was at."""
        if self._closed or connection.is_closed() or connection.is_in_transaction() or len(self._free) >= self._keep:
            connection.terminate()
        else:
            self._free.append(connection)
        self._places.release()

    async def close(self) -> None:
        """No connection is left, but those in use, which end as they are given back."""
        self._closed = True
        while self._free:
            connection = self._free.pop()
            try:
                await connection.close(timeout=1)
            except (*statements.FAILURES, TimeoutError) as error:
                log.info("connection_lost", extra={"error": type(error).__name__})

    async def _connect(self) -> asyncpg.Connection:
        connection: asyncpg.Connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            statement_cache_size=500,
            max_cached_statement_lifetime=0,
            server_settings={
                "application_name": f"parity-{self._service}",
                "search_path": self._service,
                "timezone": "UTC",
                # A process that was stopped within its transaction must not hold up the one that took over its work.
                "idle_in_transaction_session_timeout": "60000",
            },
        )
        await connection.set_type_codec(
            "json", schema="pg_catalog", encoder=str.encode, decoder=orjson.loads, format="binary"
        )
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=_versioned, decoder=_unversioned, format="binary"
        )
        traced_sql.watch(connection)
        return connection


def _versioned(text: str) -> bytes:
    """JSONB as it goes over the wire: a version, then the text."""
    return b"\x01" + text.encode()


def _unversioned(raw: bytes) -> Any:
    return orjson.loads(raw[1:])
