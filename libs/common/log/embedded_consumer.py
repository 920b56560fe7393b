"""A member of a consumer group of the embedded log."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import asyncpg

from libs.common.log import LogRefused, LogUnavailable, PartitionLost, Record, TopicPartition

logger = logging.getLogger(__name__)

CHANNEL = "parity_log"
POLL_SECONDS = (0.05, 0.25)
"""How often we look although nobody woke us: soon after the last record, less often the longer nothing comes."""
MAX_POLL_INTERVAL_SECONDS = 300.0
MAX_FETCH_BYTES = 16 * 1024 * 1024
UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedObjectError, asyncpg.InvalidSchemaNameError)


@contextmanager
def translated() -> Iterator[None]:
    """Whatever Postgres says comes out in the words of the log."""
    try:
        yield
    except REFUSED as error:
        raise LogRefused(str(error)) from error
    except UNREACHABLE as error:
        raise LogUnavailable(f"the database of the event log: {type(error).__name__}") from error


@asynccontextmanager
async def connected(url: str, connect_seconds: float) -> AsyncIterator[asyncpg.Connection]:
    """A connection of one's own, closed afterwards."""
    with translated():
        connection = await asyncpg.connect(url, timeout=connect_seconds, command_timeout=30)
        try:
            yield connection
        finally:
            connection.terminate()


@dataclass(slots=True)
class Held:
    """A partition that is ours since generation `since`, the offset that we read next, and what we last committed."""

    partition_id: int
    since: int
    position: int
    committed: int | None = None


class EmbeddedConsumer:
    """One member of a group; one connection, used by one statement at a time."""

    def __init__(
        self,
        url: str,
        group: str,
        topics: Iterable[str],
        *,
        session_seconds: float = 10.0,
        connect_seconds: float = 5.0,
    ) -> None:
        self.group = group
        self.topics = sorted(topics)
        self._url = url
        self._session = timedelta(seconds=session_seconds)
        self._connect_seconds = connect_seconds
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._member: UUID = uuid4()
        self._generation = 0
        self._stale = True
        self._forgotten = False
        """Whether the server may not know any more what we have committed."""
        self._held: dict[TopicPartition, Held] = {}
        self._rotation: deque[TopicPartition] = deque()
        self._wake = asyncio.Event()
        self._last_poll = 0.0
        self._pause = POLL_SECONDS[0]
        self._drained = False
        self._heart: asyncio.Task[None] | None = None

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._held)

    async def poll(self, *, timeout_seconds: float = 0.5, max_records: int = 500) -> dict[TopicPartition, list[Record]]:
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_seconds
        while True:
            self._last_poll = loop.time()
            if self._drained and not self._stale:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), min(self._pause, max(0.0, until - loop.time())))
            self._wake.clear()
            async with self._statement() as connection:
                if self._stale:
                    await self._sync(connection)
                if self._forgotten:
                    await self._commit_again(connection)
                found = await self._fetch(connection, max_records)
            self._pause = POLL_SECONDS[0] if found else min(self._pause * 1.3, POLL_SECONDS[1])
            count, octets = _size(found)
            self._drained = count < max_records and octets * 2 < MAX_FETCH_BYTES
            if found or loop.time() >= until:
                return found

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        async with self._statement() as connection:  # what we hold may change until it is our turn
            lost = {tp for tp, offset in offsets.items() if tp not in self._held or offset > self._held[tp].position}
            kept = {tp: offset for tp, offset in offsets.items() if tp not in lost}
            if kept:
                lost |= await self._commit(connection, kept)
        if lost:
            self._stale = True
            raise PartitionLost(lost)

    async def _commit(
        self, connection: asyncpg.Connection, offsets: Mapping[TopicPartition, int]
    ) -> set[TopicPartition]:
        """The server knows how far we are; returns the partitions that it says are no longer ours."""
        ids = {self._held[tp].partition_id: tp for tp in offsets}
        refused = await connection.fetchval(
            "select log.commit_positions($1, $2, $3, $4, $5)",
            self.group,
            self._member,
            self._generation,
            list(ids),
            list(offsets.values()),
        )
        lost = {ids[partition_id] for partition_id in refused}
        for tp in offsets.keys() - lost:
            self._held[tp].committed = offsets[tp]
        return lost

    async def _commit_again(self, connection: asyncpg.Connection) -> None:
        """A server that has died knows our positions again, although no further record may come to commit."""
        self._forgotten = False
        known = {tp: one.committed for tp, one in self._held.items() if one.committed is not None}
        if known and await self._commit(connection, known):
            self._stale = True

    async def close(self) -> None:
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.gather(self._heart, return_exceptions=True)
            self._heart = None
        if self._connection is not None and not self._connection.is_closed():
            try:
                async with self._statement() as connection:
                    await connection.execute("select log.leave_group($1, $2)", self.group, self._member)
            except (LogUnavailable, LogRefused):
                logger.info("left_without_saying_so")
        self._drop_connection()
        self._held.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def _statement(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection for one statement; a connection that failed is dropped, and the next call makes another."""
        async with self._turn:
            try:
                with translated():
                    if self._connection is None or self._connection.is_closed():
                        await self._connect()
                    yield self._connection
            except LogUnavailable:
                self._drop_connection()
                raise

    async def _connect(self) -> None:
        self._drop_connection()
        self._connection = await asyncpg.connect(
            self._url,
            timeout=self._connect_seconds,
            command_timeout=30,
            # A position that the server forgets as it dies brings records again that the inbox knows.
            server_settings={"synchronous_commit": "off"},
        )
        await self._connection.add_listener(CHANNEL, self._on_notice)
        self._stale = self._forgotten = True
        if self._heart is None:
            self._heart = asyncio.create_task(self._beat(), name=f"heartbeat of {self.group}")

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _on_notice(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        if payload == f"@{self.group}":
            self._stale = True
            self._wake.set()
        elif payload in self.topics:
            self._wake.set()

    async def _sync(self, connection: asyncpg.Connection) -> None:
        """We are in the group and know what we hold; what stayed ours is read on from where we are."""
        self._stale = False
        self._generation = await connection.fetchval(
            "select log.join_group($1, $2, $3, $4)", self.group, self._member, self.topics, self._session
        )
        rows = await connection.fetch("select * from log.assignment($1, $2)", self.group, self._member)
        held: dict[TopicPartition, Held] = {}
        for row in rows:
            tp = TopicPartition(row["topic"], row["number"])
            before = self._held.get(tp)
            same = before is not None and before.since == row["since"]
            held[tp] = before if before and same else Held(row["partition_id"], row["since"], row["start"])
        self._generation = max([self._generation, *(row["since"] for row in rows)])
        self._held = held
        self._rotation = deque(held)

    async def _fetch(self, connection: asyncpg.Connection, max_records: int) -> dict[TopicPartition, list[Record]]:
        """The next records, beginning with another partition each time so that none starves."""
        if not self._held:
            return {}
        self._rotation.rotate(-1)
        by_id = {self._held[tp].partition_id: tp for tp in self._rotation}
        rows = await connection.fetch(
            "select * from log.fetch($1, $2, $3, $4)",
            list(by_id),
            [self._held[tp].position for tp in by_id.values()],
            max_records,
            MAX_FETCH_BYTES,
        )
        found: dict[TopicPartition, list[Record]] = {}
        for row in rows:
            tp = by_id[row["partition_id"]]
            found.setdefault(tp, []).append(
                Record(
                    topic=tp.topic,
                    partition=tp.partition,
                    offset=row["offset"],
                    key=row["key"],
                    value=row["value"],
                    headers=json.loads(row["headers"]),
                )
            )
            self._held[tp].position = row["offset"] + 1
        return found

    async def _beat(self) -> None:
        """The group knows that we live, as long as somebody polls."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._session.total_seconds() / 4)
            if loop.time() - self._last_poll > MAX_POLL_INTERVAL_SECONDS:
                continue
            try:
                async with self._statement() as connection:
                    generation = await connection.fetchval(
                        "select log.heartbeat($1, $2, $3)", self.group, self._member, self._session
                    )
                    if generation is None:
                        self._given_up()
                    elif generation != self._generation:
                        self._stale = True
                        self._wake.set()
            except LogUnavailable:
                logger.info("heartbeat_unanswered", extra={"group": self.group})

    def _given_up(self) -> None:
        """The group went on without us: nothing is ours any more, and we come back as somebody new."""
        self._member = uuid4()
        self._held.clear()
        self._stale = True
        self._wake.set()


def _size(found: Mapping[TopicPartition, list[Record]]) -> tuple[int, int]:
    """How many records, and how many bytes of values."""
    records = [record for some in found.values() for record in some]
    return len(records), sum(len(record.value) for record in records)
