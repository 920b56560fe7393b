"""The relay: one leader, nothing skipped, and a leader that hangs does not stall the service."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest

from libs.common import outbox
from libs.common.db import Transaction
from libs.common.log import MAX_VALUE_BYTES, EventLog, Record, RecordTooLarge
from libs.common.log.embedded import EmbeddedLog
from libs.common.relay import Relay
from tests.common.log.dock import Dock
from tests.common.log.worlds import EmbeddedWorld, Harbour

WRITERS = 16


@pytest.fixture
async def world(harbour: Harbour) -> EmbeddedWorld:
    """The embedded log: what these tests ask concerns the outbox, and is the same over Kafka."""
    return EmbeddedWorld(harbour)


@asynccontextmanager
async def relaying(*relays: Relay) -> AsyncIterator[list[asyncio.Task[None]]]:
    stopping = asyncio.Event()
    running = [asyncio.create_task(relay.run(stopping)) for relay in relays]
    try:
        yield running
    finally:
        stopping.set()
        await asyncio.wait(running, timeout=10)


async def read_all(dock: Dock, count: int) -> list[Record]:
    got: list[Record] = []
    async with dock.log.consumer(dock.group, [dock.topic]) as member, asyncio.timeout(30):
        while len(got) < count:
            polled = await member.poll()
            got += [record for records in polled.values() for record in records]
    return got


async def test_sixteen_writers_that_commit_in_any_order_lose_no_row_and_no_order(dock: Dock) -> None:
    each = 25

    async def write(ship: str) -> None:
        chance = random.Random(ship)
        for number in range(each):
            async with dock.db.transaction("tnt_a") as tx:
                await _add(dock, tx, ship, number)
                await asyncio.sleep(chance.choice([0, 0, 0.001, 0.01]))  # the id is taken, the commit comes late

    async with relaying(Relay(dock.url, "dock", dock.log)):
        await asyncio.gather(*(write(f"ship{n}") for n in range(WRITERS)))
        got = await read_all(dock, WRITERS * each)

    numbers = defaultdict(list)
    for record in got:
        numbers[record.key].append(int(record.headers["number"]))
    assert dict(numbers) == {f"ship{n}": list(range(each)) for n in range(WRITERS)}
    assert (await dock.count("outbox"), await dock.count("sent")) == (0, WRITERS * each)


async def _add(dock: Dock, tx: Transaction, ship: str, number: int) -> None:
    connection = await tx.driver()
    await connection.execute(
        "insert into outbox (event_id, topic, key, tenant_id, value, headers)"
        " values (gen_random_uuid(), $1, $2, 'tnt_a', '{}', jsonb_build_object('number', $3::text))",
        dock.topic,
        ship,
        str(number),
    )
    tx.wakes.add("dock_outbox")


class Hanging:
    """A log whose append never returns, as in a process that was stopped; all else is the real one's."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.reached = asyncio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self.log, name)

    async def move_rows(self, connection: asyncpg.Connection, ids: Sequence[int]) -> None:
        await self.log.move_rows(connection, ids)
        self.reached.set()
        await asyncio.Event().wait()


async def test_a_standby_ends_a_leader_that_hangs_and_sends_what_it_held_back(dock: Dock) -> None:
    hanging = Hanging(dock.log)
    hung = Relay(dock.url, "dock", hanging, stuck_seconds=1)  # type: ignore[arg-type]
    standby = Relay(dock.url, "dock", EmbeddedLog(dock.url), stuck_seconds=1)
    await dock.send("a", *range(5))
    async with relaying(hung) as (leader,):
        await hanging.reached.wait()
        async with relaying(standby):
            got = await read_all(dock, 5)
            assert standby.leading
            await dock.send("a", 5)
            await _moved(dock, 6)
        leader.cancel()
    assert len(got) == 5
    assert await dock.count("sent") == 6


async def test_a_standby_leaves_a_leader_alone_that_has_much_to_do(dock: Dock) -> None:
    leader = Relay(dock.url, "dock", Slow(dock.log), stuck_seconds=0.6)  # type: ignore[arg-type]
    standby = Relay(dock.url, "dock", EmbeddedLog(dock.url), stuck_seconds=0.6)
    async with relaying(leader):
        async with asyncio.timeout(5):
            while not leader.leading:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await _fill(dock, 2000)
        async with relaying(standby):
            await _moved(dock, 2000)
            assert leader.leading
            assert not standby.leading


class Slow(Hanging):
    """A log that takes its time for each batch, so that rows grow older than a standby's patience."""

    async def move_rows(self, connection: asyncpg.Connection, ids: Sequence[int]) -> None:
        await self.log.move_rows(connection, ids)
        await asyncio.sleep(0.3)


async def test_a_standby_takes_over_at_once_from_a_leader_that_died(dock: Dock) -> None:
    first, second = Relay(dock.url, "dock", dock.log), Relay(dock.url, "dock", EmbeddedLog(dock.url))
    async with relaying(first) as (leader,):
        await dock.send("a", 0)
        await _moved(dock, 1)
        async with relaying(second):
            leader.cancel()
            await asyncio.wait({leader})
            await dock.send("a", 1)
            await _moved(dock, 2)
            assert second.leading


async def test_an_event_that_no_log_would_take_is_refused_at_its_writing_and_not_by_the_relay(dock: Dock) -> None:
    async with dock.db.transaction("tnt_a") as tx:
        with pytest.raises(RecordTooLarge):
            await outbox.add(tx, dock.event(ship_id="shp_a", number=0, cargo="x" * MAX_VALUE_BYTES), sequence=1)
    assert await dock.count("outbox") == 0


async def test_a_service_that_has_no_part_in_the_log_has_an_idle_relay(dock: Dock, harbour: Harbour) -> None:
    async with harbour.admin() as connection:
        await connection.execute("grant select, insert, delete on dock.outbox to dock_api")
        await connection.execute("grant execute on function dock.ensure_sent_partitions() to dock_api")
    relay = Relay(dock.url.replace("dock_worker", "dock_api"), "dock", EmbeddedLog(dock.url.replace("worker", "api")))
    async with relaying(relay) as (running,):
        async with asyncio.timeout(5):
            while not relay.leading:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert not running.done()


async def test_large_rows_go_in_batches_that_fit(dock: Dock) -> None:
    noting = Noting(dock.log)
    await _fill(dock, 10, b"x" * 1_000_000)
    async with relaying(Relay(dock.url, "dock", noting)):  # type: ignore[arg-type]
        await _moved(dock, 10)
    assert noting.moved == [4, 4, 2]
    assert sum(len(record.value) for record in await read_all(dock, 10)) == 10_000_000


class Noting(Hanging):
    """A log that notes how many rows came in each batch."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.moved: list[int] = []

    async def move_rows(self, connection: asyncpg.Connection, ids: Sequence[int]) -> None:
        await self.log.move_rows(connection, ids)
        self.moved.append(len(ids))


async def _fill(dock: Dock, rows: int, value: bytes = b"{}") -> None:
    """So many rows in one transaction, each of its own key."""
    connection = await asyncpg.connect(dock.url, server_settings={"search_path": "dock"})
    await connection.execute(
        "insert into outbox (event_id, topic, key, tenant_id, value)"
        " select gen_random_uuid(), $1, 'k' || n, 'tnt_a', $3 from generate_series(1, $2) n",
        dock.topic,
        rows,
        value,
    )
    await connection.close()


async def _moved(dock: Dock, count: int) -> None:
    async with asyncio.timeout(30):
        while await dock.count("sent") < count:  # noqa: ASYNC110  what is awaited stands in the database
            await asyncio.sleep(0.02)
