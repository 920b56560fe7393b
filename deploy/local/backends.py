"""What the services stand on: the database and the event log, ours or somebody's."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from deploy import topics
from deploy.local.plain import PlainError
from deploy.local.postgres import Cluster

WATCH_SECONDS = 0.5


class Server(Protocol):
    """A program of somebody else's that we start and stop."""

    @property
    def pid(self) -> int | None: ...
    def stop(self) -> None: ...
    def restart(self) -> None: ...


S = TypeVar("S", bound=Server)


@dataclass(slots=True)
class Backends:
    """A database that answers and, where asked for, a broker that answers."""

    admin_url: str
    kafka: str | None
    cluster: Cluster | None = None
    broker: Server | None = None
    _watch: asyncio.Task[None] | None = field(default=None)

    @classmethod
    async def start(cls, home: Path, log: str, *, durable: bool) -> "Backends":
        """Start what is not named by PARITY_DATABASE and PARITY_KAFKA."""
        admin_url, cluster = os.environ.get("PARITY_DATABASE", ""), None
        if not admin_url:
            cluster = await _whole(lambda: Cluster.start(home, durable=durable))
            admin_url = cluster.admin_url
        backends = cls(admin_url, None, cluster)
        try:
            if log == "kafka":
                await backends._start_kafka(home)
        except BaseException:
            await backends.stop()
            raise
        backends._watch = asyncio.create_task(backends._keep(), name="keep the backends")
        return backends

    async def create_topics(self) -> None:
        """Kafka has every topic of the table of events; the embedded log gets them from the bootstrap."""
        if self.kafka is not None:
            await topics.create(self.kafka)

    async def stop(self) -> None:
        """What we started has ended; what was named runs on."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for one in (self.broker, self.cluster):
            if one is not None:
                await asyncio.to_thread(one.stop)

    async def _start_kafka(self, home: Path) -> None:
        from deploy.kafka.broker import start  # noqa: PLC0415  needs Java; only where Kafka is asked for

        broker = await _whole(lambda: start(home))
        self.broker, self.kafka = broker, broker.address

    async def _keep(self) -> None:
        """Start again what has died."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for one in (self.cluster, self.broker):
                if one is not None and one.pid is None:
                    try:
                        await asyncio.to_thread(one.restart)
                    except PlainError:
                        await asyncio.sleep(WATCH_SECONDS * 10)


async def _whole(start: Callable[[], S]) -> S:
    """What `start` has started; when we are told to stop meanwhile, it is not left running."""
    starting = asyncio.create_task(asyncio.to_thread(start))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        (await starting).stop()
        raise
