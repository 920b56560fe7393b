"""From outbox to effect over each log: nothing lost, nothing twice, nothing out of order."""

import asyncio
from contextlib import suppress

import pytest

from libs.common import metrics, parking, replay
from libs.common.consumer import PER_TRANSACTION
from tests.common.log.dock import Dock
from tests.common.log.worlds import Harbour, World


async def test_every_event_has_its_effect_once_and_in_order(dock: Dock) -> None:
    async with dock.working():
        for first in range(0, 20, 5):
            for ship in ("a", "b", "c"):
                await dock.send(ship, *range(first, first + 5))
        await dock.until(60)

    for ship in ("a", "b", "c"):
        assert await dock.effects(ship) == list(range(20))
    assert (await dock.count("outbox"), await dock.count("sent"), await dock.count("inbox")) == (0, 60, 60)
    assert await dock.log.lag(dock.group, [dock.topic]) == {}


async def test_a_batch_under_way_is_finished_before_we_stop_and_none_of_it_comes_again(dock: Dock) -> None:
    dock.seconds_each = 0.005
    await dock.send("a", *range(3 * PER_TRANSACTION))
    async with dock.working():
        await dock.until(1)
        begun = len(await dock.effects("a"))
    assert begun < len(await dock.effects("a"))
    async with dock.working():
        await dock.until(3 * PER_TRANSACTION)
    assert await dock.effects("a") == list(range(3 * PER_TRANSACTION))
    assert metrics.DUPLICATES.labels(dock.topic)._value.get() == 0


async def test_events_of_several_tenants_in_one_batch_each_meet_their_own(dock: Dock) -> None:
    for number in range(5):
        await dock.send("a", number, tenant="tnt_one")
        await dock.send("b", number, tenant="tnt_two")
    async with dock.working():
        await dock.until(10)
    assert await dock.effects("a") == await dock.effects("b") == list(range(5))


async def test_one_poison_in_a_batch_parks_its_key_and_its_neighbours_flow_on(dock: Dock) -> None:
    dock.poison.add(("b", 1))
    for number in range(4):
        for ship in ("a", "b", "c"):
            await dock.send(ship, number)
    async with dock.working():
        await dock.until(9)
        await _parked(dock, 3)
        await dock.send("b", 4)
        await dock.send("a", 4)
        await dock.until(10)
        await _parked(dock, 4)

    assert (await dock.effects("a"), await dock.effects("b")) == ([0, 1, 2, 3, 4], [0])
    assert await dock.log.lag(dock.group, [dock.topic]) == {}
    (line,) = await parking.list_parked(dock.db)
    assert line.startswith("shp_b  4 parked since")
    assert "Damaged at libs/common/" in line
    assert "Jane" not in str(await dock.query("select reason from parked"))

    dock.poison.clear()
    lines = await parking.replay(dock.db, "shp_b", dock.handlers(), dock.events)
    assert [line.rpartition("  ")[2] for line in lines] == ["applied"] * 4
    assert await dock.effects("b") == [0, 1, 2, 3, 4]
    assert await parking.list_parked(dock.db) == ["nothing is parked"]


async def test_parking_and_replay_at_the_same_moment_keep_the_order_of_the_key(dock: Dock) -> None:
    dock.poison.add(("b", 0))
    await dock.send("b", 0)
    async with dock.working():
        await _parked(dock, 1)
        dock.poison.clear()

        async def replaying() -> None:
            for _ in range(60):
                with suppress(parking.NotDone):  # the other was faster, or nothing is parked yet
                    await parking.replay(dock.db, "shp_b", dock.handlers(), dock.events)
                await asyncio.sleep(0.005)

        async def sending() -> None:
            for number in range(1, 60):
                if number in (20, 40):  # the key is parked anew while somebody replays
                    dock.poison.add(("b", number))
                await dock.send("b", number)
                await asyncio.sleep(0.01)

        await asyncio.gather(sending(), replaying(), replaying())
        await _parked(dock, 1)
        dock.poison.clear()
        async with asyncio.timeout(30):
            while len(await dock.effects("b")) < 60:
                with suppress(parking.NotDone):
                    await parking.replay(dock.db, "shp_b", dock.handlers(), dock.events)

    assert await dock.effects("b") == list(range(60))
    assert await dock.count("parked") == 0


async def test_an_outage_in_the_middle_is_waited_out_and_parks_nothing(world: World, dock: Dock) -> None:
    await dock.send("a", *range(10))
    async with dock.working():
        await dock.until(10)
        await asyncio.to_thread(world.kill)
        if world.name == "kafka":  # the database is there: the outbox absorbs what happens meanwhile
            await dock.send("a", *range(10, 15))
            assert await dock.count("outbox") == 5
        await asyncio.sleep(0.3)
        await asyncio.to_thread(world.restart)
        await dock.until(15 if world.name == "kafka" else 10)
        first = 15 if world.name == "kafka" else 10
        await dock.send("a", *range(first, 20))
        await dock.until(20)
    assert await dock.effects("a") == list(range(20))
    assert await dock.count("parked") == 0


async def test_a_log_that_is_away_at_the_start_is_waited_for(world: World, dock: Dock) -> None:
    await dock.send("a", *range(10))
    await asyncio.to_thread(world.kill)
    async with dock.working():
        await asyncio.sleep(0.5)
        await asyncio.to_thread(world.restart)
        await dock.until(10)
    assert await dock.effects("a") == list(range(10))


@pytest.fixture
async def second(harbour: Harbour, group: str) -> str:
    """Another group that reads the same topic."""
    harbour.groups.add(f"{group}.second")
    return f"{group}.second"


async def test_a_replay_reaches_one_group_once_more_and_no_other(
    dock: Dock, second: str, world: World, harbour: Harbour
) -> None:
    await world.create_topics([dock.topic])
    async with dock.working():
        await dock.send("a", *range(5))
        await dock.send("b", *range(5))
        await dock.until(10)
        count = await replay.replay(dock.url, "dock", dock.log, to=dock.group, key="shp_a")
        assert count == 5
        await dock.until(15)
        assert await replay.replay(dock.url, "dock", dock.log, to=second, topics=[dock.topic]) == 10
        await dock.send("c", 0)
        await dock.until(16)
        async with asyncio.timeout(20):
            while await dock.log.lag(dock.group, [dock.topic]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    assert await dock.effects("a") == [*range(5), *range(5)]
    assert await dock.effects("b") == list(range(5))
    assert await dock.count("sent") == 11


async def test_a_consumer_that_is_asked_to_stop_stops_soon_and_loses_nothing(dock: Dock) -> None:
    for number in range(200):
        await dock.send("a", number)
    loop = asyncio.get_running_loop()
    async with dock.working():
        await dock.until(1)
        asked = loop.time()
    assert loop.time() - asked < 5
    async with dock.working():
        await dock.until(200)
    assert await dock.effects("a") == list(range(200))


async def _parked(dock: Dock, at_least: int) -> None:
    async with asyncio.timeout(30):
        while await dock.count("parked") < at_least:  # noqa: ASYNC110  what is awaited stands in the database
            await asyncio.sleep(0.02)
