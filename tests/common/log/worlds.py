"""The two logs as a test sees them, and a small service (`dock`) that sends and receives over them."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

import asyncpg
import pytest

from deploy.kafka import broker as kafka_broker
from deploy.local.postgres import Cluster, remove
from libs.common.log import EventLog, Message
from libs.common.log.embedded import EmbeddedLog, Grant, install
from libs.common.log.kafka import KafkaLog
from libs.common.migrations import upgrade

REQUIRED = "PARITY_REQUIRE_KAFKA"
DOCK_ROLES = ("dock_owner", "dock_api", "dock_worker")


class World(Protocol):
    """A log that can be killed and started again, with everything that was in it."""

    name: str
    session_seconds: float

    @property
    def address(self) -> str:
        """What `open_log` takes."""

    def log(self) -> EventLog: ...
    async def create_topics(self, topics: Sequence[str]) -> None: ...
    async def append(self, messages: Sequence[Message]) -> None: ...
    def kill(self) -> None: ...
    def restart(self) -> None: ...


@dataclass(slots=True)
class Harbour:
    """A Postgres server of the delivery tests' own, with the schema of `dock` and the embedded log in one database."""

    cluster: Cluster
    topics: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)

    @property
    def admin_url(self) -> str:
        return f"{self.cluster.admin_url.rpartition('/')[0]}/harbour"

    @property
    def worker_url(self) -> str:
        return f"postgresql://dock_worker:dock@{self.admin_url.partition('@')[2]}"

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.admin_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def build(self) -> None:
        """The database is there, with its roles, the kernel's tables and a table of effects."""
        connection = await asyncpg.connect(self.cluster.admin_url)
        try:
            await connection.execute("create database harbour")
            await connection.execute("alter database harbour set synchronous_commit = on")
        finally:
            await connection.close()
        async with self.admin() as connection:
            for role in DOCK_ROLES:
                await connection.execute(f"create role {role} login password 'dock'")
            await connection.execute("create schema dock authorization dock_owner")
            await connection.execute("grant usage on schema dock to dock_api, dock_worker")
        await upgrade(f"postgresql://dock_owner:dock@{self.admin_url.partition('@')[2]}", "dock")
        async with self.admin() as connection:
            await connection.execute("set role dock_owner")
            await connection.execute(
                "create table dock.effect (n bigint generated always as identity primary key, event_id uuid not null,"
                " key text not null, number int not null, by_group text not null);"
                "grant select, insert on dock.effect to dock_worker"
            )
            await connection.execute("reset role")
            await self.allow(connection)

    async def allow(self, connection: asyncpg.Connection) -> None:
        """The service may do everything with the tests' topics and groups."""
        topics = tuple(sorted(self.topics))
        await install(
            connection, [Grant(role="dock_worker", groups=tuple(self.groups), produces=topics, consumes=topics)]
        )

    async def open_topics(self, topics: Sequence[str]) -> None:
        """As `allow` and `create_topics`, quickly: for these topics only."""
        self.topics.update(topics)
        async with self.admin() as connection, connection.transaction():
            await connection.execute("select log.create_topics($1, 12)", list(topics))
            await connection.execute(
                "insert into log.permission select 'dock_worker', t, true, true from unnest($1::text[]) t"
                " on conflict do nothing",
                list(topics),
            )
            await connection.execute(
                "insert into log.group_permission select 'dock_worker', g from unnest($1::text[]) g"
                " on conflict do nothing",
                list(self.groups),
            )

    async def empty(self) -> None:
        """Nothing is left of earlier tests but what is in the log."""
        async with self.admin() as connection:
            await connection.execute("truncate dock.outbox, dock.sent, dock.inbox, dock.parked, dock.effect")


@dataclass(slots=True)
class EmbeddedWorld:
    harbour: Harbour
    name: str = "embedded"
    session_seconds: float = 1.0

    @property
    def address(self) -> str:
        return self.harbour.worker_url

    def log(self) -> EventLog:
        return EmbeddedLog(self.address, session_seconds=self.session_seconds, connect_seconds=2)

    async def create_topics(self, topics: Sequence[str]) -> None:
        await self.harbour.open_topics(topics)

    async def append(self, messages: Sequence[Message]) -> None:
        connection = await asyncpg.connect(self.address)
        try:
            async with connection.transaction():
                await self.log().append(connection, messages)
        finally:
            await connection.close()

    def kill(self) -> None:
        self.harbour.cluster.kill()

    def restart(self) -> None:
        self.harbour.cluster.restart()


@dataclass(slots=True)
class KafkaWorld:
    broker: kafka_broker.Broker
    name: str = "kafka"
    session_seconds: float = 2.0

    @property
    def address(self) -> str:
        return f"kafka://{self.broker.address}"

    def log(self) -> EventLog:
        return KafkaLog(self.broker.address, session_seconds=self.session_seconds, send_seconds=5)

    async def create_topics(self, topics: Sequence[str]) -> None:
        log = self.log()
        try:
            await log.create_topics(topics)
        finally:
            await log.close()

    async def append(self, messages: Sequence[Message]) -> None:
        log = self.log()
        try:
            await log.append(None, messages)
        finally:
            await log.close()

    def kill(self) -> None:
        self.broker.kill()

    def restart(self) -> None:
        self.broker.restart()


@pytest.fixture(scope="session")
async def harbour(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harbour]:
    """It is killed and must keep what it had promised: commits wait for the write, not for the disk."""
    cluster = Cluster.start(tmp_path_factory.mktemp("harbour"), durable=False)
    try:
        built = Harbour(cluster)
        await built.build()
        yield built
    finally:
        cluster.stop()
        remove(cluster.home)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka_broker.Broker]:
    """A Kafka broker; without one the test is skipped, or fails where Kafka is required."""
    reason = kafka_broker.obstacle()
    if reason is not None:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"Kafka is required and there is no broker: {reason}")
        pytest.skip(f"no Kafka broker: {reason}")
    running = kafka_broker.start(tmp_path_factory.mktemp("kafka"))
    yield running
    running.stop()


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
async def world(request: pytest.FixtureRequest, harbour: Harbour) -> World:
    """Each log in turn."""
    if request.param == "embedded":
        return EmbeddedWorld(harbour)
    return KafkaWorld(request.getfixturevalue("broker"))


@pytest.fixture
async def group(world: World, harbour: Harbour) -> str:
    """A group of this test's own."""
    name = f"group.{uuid4().hex}"
    harbour.groups.add(name)
    return name


@pytest.fixture
async def topic(world: World, group: str) -> str:
    """A topic of this test's own, which its group may read."""
    name = f"test.{uuid4().hex}"
    await world.create_topics([name])
    return name
