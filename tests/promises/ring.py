"""Where the storms rage: one platform for all of them, on one log, that begins each time where the first began.

The database is a copy of one in which the practice is open and its patients are known; the log's broker stays.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.kafka.broker import Broker, start_own
from deploy.local.nursery import Nursery
from deploy.local.platform import Platform
from deploy.local.postgres import Cluster, remove
from deploy.local.supervisor import Supervisor
from deploy.local.topology import SERVICES, free_base
from libs.common import witness
from libs.common.events import TOPICS
from libs.common.log import LogUnavailable, open_log
from tests.platform import Scenario
from tests.promises.load import Load
from tests.promises.points import Receiver

LONGEST_DELAY = 0.2
SESSION_SECONDS = 3
"""How long a worker that died on Kafka holds up its group; on the embedded log its death is seen at once."""
FORGET_SECONDS = 30
BEGUN = "begun"


@dataclass(slots=True, eq=False)
class Ring:
    """A platform of forked processes, what it stands on, and how its week begins."""

    log: str
    cluster: Cluster
    broker: Broker | None
    nursery: Nursery
    supervisor: Supervisor
    scenario: Scenario
    begun: Load
    receiver: Receiver
    notes: Path

    @classmethod
    @asynccontextmanager
    async def running(cls, log: str, home: Path, env: Any) -> AsyncIterator["Ring"]:
        """The practice is open on this log inside the block; `env` is where the processes' environment is set."""
        async with AsyncExitStack() as stack:
            cluster = await asyncio.to_thread(Cluster.start, home / "database", durable=False)
            stack.callback(remove, cluster.home)
            stack.callback(cluster.stop)
            env.setenv("PARITY_DATABASE", cluster.admin_url)
            env.setenv("PARITY_CRASH", str(home / "notes"))
            broker = None
            if log == "kafka":
                broker = await asyncio.to_thread(start_own, home / "broker")
                stack.callback(broker.stop)
                env.setenv("PARITY_KAFKA", f"{broker.address}?session_seconds={SESSION_SECONDS}")
            nursery = await stack.enter_async_context(Nursery.running())
            supervisor = Supervisor(
                home / "platform",
                log=log,
                base_port=free_base(),
                durable=False,
                longest_delay=LONGEST_DELAY,
                bear=nursery.spawn,
            )
            await _witnessed(cluster)
            await stack.enter_async_context(supervisor)
            await supervisor.ready()
            http = await stack.enter_async_context(httpx.AsyncClient(timeout=60, trust_env=False))
            receiver = await stack.enter_async_context(Receiver.running())
            scenario = await Scenario.open(Platform.attached(supervisor.home), http)
            wanted = {"url": receiver.url, "event_types": ["claim.submitted.v1"]}
            await scenario.client.post("reporting", "/v1/webhook-endpoints", wanted)
            begun = Load(scenario)
            await begun.prepare()
            notes = home / "notes"
            ring = cls(log, cluster, broker, nursery, supervisor, scenario, begun, receiver, notes)
            await ring._keep()
            yield ring

    @property
    def platform(self) -> Platform:
        return self.scenario.client.platform

    @asynccontextmanager
    async def week(self, *, patience_seconds: float) -> AsyncIterator[Load]:
        """The week is about to begin, whatever became of the last one; processes are started in today's environment."""
        async with self.supervisor.paused():
            await self._begin_anew()
        client = replace(self.scenario.client, _headers={})
        scenario = replace(self.scenario, client=client, patience_seconds=patience_seconds)
        async with asyncpg.create_pool(self._address("parity"), min_size=0, max_size=4) as admin:
            yield replace(self.begun, scenario=scenario, admin=admin)

    async def kill_the_broker(self) -> None:
        """The log's server is gone at once, and is back with what it had: Kafka's broker, or Postgres itself."""
        server = self.broker or self.cluster
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)

    async def _keep(self) -> None:
        """This is how every week begins."""
        async with self.supervisor.paused():
            await self._as_superuser(_LATE, database="parity")
            await self._as_superuser(f"create database {BEGUN} template parity strategy file_copy")

    async def _begin_anew(self) -> None:
        shutil.rmtree(self.notes, ignore_errors=True)
        for log in (self.supervisor.home / "logs").glob("*.log"):
            log.unlink()
        self.receiver.ids.clear()
        await self._as_superuser(
            "drop database parity with (force)",
            f"create database parity template {BEGUN} strategy file_copy",
            "alter database parity set synchronous_commit = on",  # what is committed outlives the server's death
        )
        if self.broker is not None:
            async with asyncio.timeout(FORGET_SECONDS):
                await self._forget(self.broker.address)

    async def _forget(self, address: str) -> None:
        """Nobody reads any more what the log holds of earlier weeks."""
        log = open_log(f"kafka://{address}")
        try:
            for group in SERVICES:
                while left := await _lag(log, group):
                    await _commit_ends(address, group, [TopicPartition(*tp) for tp in left])
        finally:
            await log.close()

    async def _as_superuser(self, *statements: str, database: str = "postgres") -> None:
        connection = await asyncpg.connect(self._address(database))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    def _address(self, database: str) -> str:
        return f"{self.cluster.admin_url.rpartition('/')[0]}/{database}"


async def _witnessed(cluster: Cluster) -> None:
    """Every database of the server, when it is made, has the table that effects are counted in."""
    connection = await asyncpg.connect(f"{cluster.admin_url.rpartition('/')[0]}/template1")
    try:
        await connection.execute(witness.TABLE)
    finally:
        await connection.close()


async def _lag(log: Any, group: str) -> dict[Any, int]:
    try:
        found: dict[Any, int] = await log.lag(group, TOPICS)
    except LogUnavailable:
        await asyncio.sleep(0.2)
        return await _lag(log, group)
    return found


async def _commit_ends(address: str, group: str, partitions: list[TopicPartition]) -> None:
    """The group has read all of these partitions; once its dead members are given up."""
    reader = AIOKafkaConsumer(bootstrap_servers=address, group_id=group, enable_auto_commit=False)
    await reader.start()
    try:
        reader.assign(partitions)
        await reader.commit(await reader.end_offsets(partitions))
    finally:
        await reader.stop()


_LATE = """
    create function witness.commit_late() returns trigger language plpgsql as
        'begin perform pg_sleep(0.4); return null; end';
    create constraint trigger commits_late after insert on claims.outbox deferrable initially deferred
        for each row when (new.topic = 'encounter.created' and new.id % 16 = 0)
        execute function witness.commit_late()
"""
"""Some transactions commit long after others with later rows: nothing that is found by `id > last` would find them."""
