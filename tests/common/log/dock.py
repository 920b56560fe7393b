"""A small service that sends events and notes their effects, with relay and consumer as in production."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest
import sqlalchemy as sa

from libs.common import outbox
from libs.common.consumer import Inlet, consume
from libs.common.db import Database, Transaction
from libs.common.effect import Events, Handlers
from libs.common.events import Envelope, Event
from libs.common.events.envelope import Id
from libs.common.log import EventLog
from libs.common.relay import Relay
from tests.common.log.worlds import Harbour, World

TENANT = "tnt_harbour"


class Damaged(Exception):
    """What the handler makes of a poison; its text must not get anywhere."""


class Docked(Event):
    """A ship has docked for the n-th time."""

    topic: ClassVar[str] = "test.docked"
    producer: ClassVar[str] = "dock"
    kind: ClassVar[Literal["state", "fact"]] = "fact"
    key: ClassVar[str] = "ship_id"

    ship_id: Id
    number: int
    cargo: str = ""


@dataclass(slots=True)
class Dock:
    """The service, its database, and one topic and group of one test."""

    db: Database
    url: str
    topic: str
    group: str
    log: EventLog
    event: type[Docked]
    poison: set[tuple[str, int]] = field(default_factory=set)
    seen: int = 0
    seconds_each: float = 0.0
    """How long each effect takes."""

    @property
    def events(self) -> Events:
        return {self.topic: self.event}

    async def send(self, ship: str, *numbers: int, tenant: str = TENANT) -> None:
        """The events are in the outbox, in this order."""
        async with self.db.transaction(tenant) as tx:
            for number in numbers:
                await outbox.add(tx, self.event(ship_id=f"shp_{ship}", number=number), sequence=number + 1)

    def handlers(self, group: str | None = None) -> Handlers:
        async def on_docked(tx: Transaction, event: Envelope[Docked]) -> None:
            self.seen += 1
            await asyncio.sleep(self.seconds_each)
            ship, number = event.data.ship_id.removeprefix("shp_"), event.data.number
            await tx.execute(_EFFECT, {"id": event.id, "key": ship, "number": number, "group": group or self.group})
            if (ship, number) in self.poison:
                raise Damaged(f"Jane Doe was aboard {ship}")

        return {self.topic: on_docked}

    def inlet(self, *, tries: int = 2) -> Inlet:
        """Where records enter, less patient with a poison than in production."""
        return Inlet(
            db=self.db,
            group=self.group,
            handlers=self.handlers(),
            stopping=asyncio.Event(),
            events=self.events,
            tries=tries,
        )

    @asynccontextmanager
    async def working(self, *, groups: tuple[str, ...] = (), stuck_seconds: float = 5.0) -> AsyncIterator[None]:
        """Relay and consumers run, and are asked to stop when the block ends."""
        stopping = asyncio.Event()
        parts = [Relay(self.url, "dock", self.log, stuck_seconds=stuck_seconds).run(stopping)]
        for group in groups or (self.group,):
            parts.append(
                consume(
                    self.log,
                    group=group,
                    handlers=self.handlers(group),
                    db=self.db,
                    stopping=stopping,
                    events=self.events,
                )
            )
        running = [asyncio.create_task(part) for part in parts]
        try:
            yield
        finally:
            stopping.set()
            async with asyncio.timeout(15):
                await asyncio.gather(*running)

    async def effects(self, ship: str | None = None, group: str | None = None) -> list[int]:
        """The numbers that had their effect, in the order of their effects."""
        rows = await self.query(
            "select number from effect where (:key is null or key = :key) and by_group = :group order by n",
            key=ship,
            group=group or self.group,
        )
        return [row["number"] for row in rows]

    async def query(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        bound = sa.text(statement)
        if "key" in values:
            bound = bound.bindparams(sa.bindparam("key", type_=sa.Text))
        async with self.db.transaction() as tx:
            return [dict(row) for row in await tx.all(bound, values)]

    async def count(self, table: str) -> int:
        (row,) = await self.query(f"select count(*) as n from {table}")
        return int(row["n"])

    async def until(self, effects: int, *, group: str | None = None, seconds: float = 40.0) -> None:
        """So many effects have happened; a database that is away is waited for."""
        found = 0
        try:
            async with asyncio.timeout(seconds):
                while found < effects:
                    try:
                        found = len(await self.effects(group=group))
                    except (sa.exc.DBAPIError, OSError):
                        found = 0
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise AssertionError(f"{found} effects of {effects} in {seconds} s") from None


_EFFECT = sa.text(
    "insert into effect (event_id, key, number, by_group) values (cast(:id as uuid), :key, :number, :group)"
)


@pytest.fixture
async def dock(world: World, harbour: Harbour, topic: str, group: str) -> AsyncIterator[Dock]:
    """The service over each log in turn, with empty tables."""
    await harbour.empty()
    db = Database(harbour.worker_url, service="dock", pool=6)
    log = world.log()
    event = type("Docked", (Docked,), {"topic": topic, "__module__": __name__})
    yield Dock(db, harbour.worker_url, topic, group, log, event)
    await log.close()
    await db.close()
