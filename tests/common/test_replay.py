"""A replay takes archived events past one group's inbox, once for each run."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from libs.common import replay
from libs.common.inbox import REPLAY_TO
from libs.common.log import LogRefused, Record
from tests.common.log.dock import Dock
from tests.common.log.worlds import EmbeddedWorld, Harbour


@pytest.fixture
async def world(harbour: Harbour) -> EmbeddedWorld:
    return EmbeddedWorld(harbour)


@pytest.fixture
async def sent(dock: Dock) -> Dock:
    """Ten events of two ships, sent and applied."""
    async with dock.working():
        for number in range(5):
            await dock.send("a", number)
            await dock.send("b", number)
        await dock.until(10)
    return dock


async def read(dock: Dock, count: int) -> list[Record]:
    got: list[Record] = []
    async with dock.log.consumer(dock.group, [dock.topic]) as member:
        for _ in range(50):
            polled = await member.poll(timeout_seconds=0.1)
            got += [record for records in polled.values() for record in records]
            if len(got) >= count:
                break
    return got


async def test_replayed_records_have_the_same_ids_and_the_name_of_their_group(sent: Dock) -> None:
    assert await replay.replay(sent.url, "dock", sent.log, to=sent.group, topics=[sent.topic]) == 10
    records = await read(sent, 10)
    assert {record.headers[REPLAY_TO] for record in records} == {sent.group}
    archived = {row["value"] for row in await sent.query("select value from sent")}
    assert {record.value for record in records} == archived


async def test_a_replay_that_the_log_brings_twice_has_one_more_effect_and_a_second_replay_another(sent: Dock) -> None:
    await replay.replay(sent.url, "dock", sent.log, to=sent.group, key="shp_a")
    records = await read(sent, 5)
    await sent.inlet().take(records)
    await sent.inlet().take(records)
    assert await sent.effects("a") == [*range(5)] * 2
    assert await sent.effects("b") == [*range(5)]

    await replay.replay(sent.url, "dock", sent.log, to=sent.group, key="shp_a")
    await sent.inlet().take(await read(sent, 10))
    assert await sent.effects("a") == [*range(5)] * 3


async def test_what_a_restored_group_has_had_already_is_not_done_again(sent: Dock) -> None:
    async with sent.db.transaction() as tx:  # the restored tables are those of before the last two events of a
        await tx.execute(
            sa.text("delete from inbox where event_id in (select event_id from sent order by id desc limit 2)")
        )
    assert await replay.replay(sent.url, "dock", sent.log, to=sent.group, missing=True) == 10
    await sent.inlet().take(await read(sent, 10))
    assert len(await sent.effects()) == 12


async def test_another_group_lets_a_replay_pass(sent: Dock) -> None:
    await replay.replay(sent.url, "dock", sent.log, to="somebody_else")
    await sent.inlet().take(await read(sent, 10))
    assert len(await sent.effects()) == 10


async def test_a_replay_can_be_narrowed_to_a_time(sent: Dock) -> None:
    now = datetime.now(UTC)
    later = now + timedelta(hours=1)
    assert await replay.replay(sent.url, "dock", sent.log, to=sent.group, since=later) == 0
    assert await replay.replay(sent.url, "dock", sent.log, to=sent.group, until=later - timedelta(days=1)) == 0
    assert await replay.replay(sent.url, "dock", sent.log, to=sent.group, since=now - timedelta(hours=1)) == 10


async def test_a_topic_that_is_not_this_services_is_refused(sent: Dock, harbour: Harbour) -> None:
    async with harbour.admin() as connection:
        await connection.execute("update dock.sent set topic = 'payment.posted'")
    with pytest.raises(LogRefused, match=r"dock_worker may not produce payment\.posted"):
        await replay.replay(sent.url, "dock", sent.log, to=sent.group)
