"""The log in Postgres: what a service may do with it, and what only its owner may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

from libs.common.log import LogRefused, LogUnavailable, Message, open_log
from libs.common.log.embedded import EmbeddedLog, Grant, install
from tests.common.log.test_log import Member
from tests.common.log.worlds import EmbeddedWorld, Harbour


@pytest.fixture
async def world(harbour: Harbour) -> EmbeddedWorld:
    return EmbeddedWorld(harbour)


@pytest.fixture
async def worker(world: EmbeddedWorld) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(world.address)
    yield connection
    await connection.close()


async def append(log: EmbeddedLog, connection: asyncpg.Connection, topic: str, *values: bytes) -> None:
    async with connection.transaction():
        await log.append(connection, [Message(topic=topic, key="k", value=value) for value in values])


@pytest.fixture
def log(world: EmbeddedWorld) -> EmbeddedLog:
    return EmbeddedLog(world.address)


@pytest.mark.parametrize(
    "statement",
    [
        "select * from log.record",
        "select * from log.partition",
        "insert into log.permission values ('dock_worker', 'payment.posted', true, true)",
        "update log.position set committed = 0",
        "delete from log.record",
        "truncate log.record",
        "select log.create_topics('{x}', 1)",
        "select log.rebalance('claims')",
        "select log.expire_members('claims')",
        "create table log.mine ()",
        "set role parity_log",
        "alter function log.append(text[], text[], bytea[], text[]) security invoker",
    ],
)
async def test_a_service_gets_nothing_past_the_functions(worker: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await worker.execute(statement)


async def test_a_role_without_a_grant_does_not_even_get_to_the_functions(harbour: Harbour) -> None:
    url = harbour.worker_url.replace("dock_worker", "dock_api")
    connection = await asyncpg.connect(url)
    try:
        with pytest.raises(LogRefused):
            await append(EmbeddedLog(url), connection, "test.any", b"x")
    finally:
        await connection.close()


async def test_a_service_writes_and_reads_its_own_topics_only(
    harbour: Harbour, world: EmbeddedWorld, log: EmbeddedLog, worker: asyncpg.Connection, topic: str, group: str
) -> None:
    async with harbour.admin() as connection:
        await EmbeddedLog(harbour.admin_url).create_topics(["foreign"])
        reads = Grant(role="dock_worker", groups=(group,), produces=("foreign",), consumes=(topic,))
        await install(connection, [reads])
        await append(log, worker, "foreign", b"x")
        with pytest.raises(LogRefused, match=f"dock_worker may not produce {topic}"):
            await append(log, worker, topic, b"x")
        async with log.consumer(group, ["foreign"]) as member:
            with pytest.raises(LogRefused, match="dock_worker may not consume foreign"):
                await member.poll()
        async with log.consumer("claims", [topic]) as member:
            with pytest.raises(LogRefused, match="dock_worker is not of group claims"):
                await member.poll()
        with pytest.raises(LogRefused):
            await log.lag("claims", [topic])
        await log.close()
        foreign = await connection.fetchval("select id from log.partition where topic = 'foreign' limit 1")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.fetch("select * from log.fetch($1, $2, 10, 1000)", [foreign], [0])
        await harbour.allow(connection)


async def test_a_role_that_was_taken_on_by_another_login_has_the_rights_of_the_login(
    harbour: Harbour, topic: str
) -> None:
    """session_user counts: `set role` lends no topics."""
    async with harbour.admin() as connection:
        await connection.execute("set role dock_worker")
        with pytest.raises(LogRefused, match="postgres may not produce"):
            await append(EmbeddedLog(harbour.admin_url), connection, topic, b"x")


async def test_what_is_rolled_back_leaves_no_gap(
    log: EmbeddedLog, worker: asyncpg.Connection, topic: str, group: str
) -> None:
    await append(log, worker, topic, b"0", b"1")

    async def fail() -> None:
        async with worker.transaction():
            await log.append(worker, [Message(topic=topic, key="k", value=b"lost")])
            await worker.execute("select 1/0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fail()
    await append(log, worker, topic, b"2")

    async with log.consumer(group, [topic]) as member:
        (records,) = (await member.poll(timeout_seconds=5)).values()
    assert [(record.offset, record.value) for record in records] == [(0, b"0"), (1, b"1"), (2, b"2")]


async def test_a_topic_that_nobody_created_is_refused_by_name(
    harbour: Harbour, log: EmbeddedLog, worker: asyncpg.Connection, topic: str
) -> None:
    harbour.topics.add("never.created")
    async with harbour.admin() as connection:
        await harbour.allow(connection)
    with pytest.raises(LogRefused, match=r"no such topic: never\.created"):
        await append(log, worker, "never.created", b"x")


async def test_trimming_takes_only_what_every_group_has_read(
    harbour: Harbour, log: EmbeddedLog, worker: asyncpg.Connection, topic: str, group: str
) -> None:
    owner = EmbeddedLog(harbour.admin_url)
    await append(log, worker, topic, b"0", b"1")
    await owner.trim(0)
    async with log.consumer(group, [topic]) as member:
        polled = await member.poll(timeout_seconds=5)
        assert sum(map(len, polled.values())) == 2
        await member.commit({tp: records[-1].offset + 1 for tp, records in polled.items()})
        await append(log, worker, topic, b"2")
        assert await owner.trim(1) == 0
        assert await log.trim(0) == 0, "a service trimmed what is younger than a week"
        await owner.trim(0)
    async with harbour.admin() as connection:
        left = await connection.fetch(
            'select "offset", first_offset from log.record r join log.partition p on p.id = r.partition_id'
            " where p.topic = $1",
            topic,
        )
    assert [tuple(row) for row in left] == [(2, 2)]
    async with log.consumer(group, [topic]) as member:
        (records,) = (await member.poll(timeout_seconds=5)).values()
    assert [record.value for record in records] == [b"2"]


async def test_a_log_that_was_empty_when_its_reader_began_is_still_read_by_its_index(
    harbour: Harbour, log: EmbeddedLog, worker: asyncpg.Connection, topic: str, group: str
) -> None:
    """Plans are kept, and one made for an empty table would go through all of it for each fetch."""
    async with harbour.admin() as admin, log.consumer(group, [topic]) as member:
        await admin.execute("delete from log.record")
        await admin.execute("vacuum log.record")
        await member.poll(timeout_seconds=0)
        seen = 0
        for _ in range(12):
            await append(log, worker, topic, *[b"x"] * 20)
            seen += sum(map(len, (await member.poll(timeout_seconds=5)).values()))
        assert seen == 240
        await worker.fetchval("select pg_stat_force_next_flush()")
        scans = "select seq_scan from pg_stat_user_tables where relid = 'log.record'::regclass"
        before = await admin.fetchval(scans)
        for _ in range(10):
            await append(log, worker, topic, *[b"x"] * 20)
            seen += sum(map(len, (await member.poll(timeout_seconds=5)).values()))
        await asyncio.sleep(1.5)  # a connection tells its statistics at most once a second
        await append(log, worker, topic, b"last")
        await member.poll(timeout_seconds=5)
        await asyncio.sleep(0.2)
        assert await admin.fetchval(scans) == before
    assert seen == 440


async def test_creating_a_topic_again_with_other_partitions_leaves_it_as_it_is(
    harbour: Harbour, log: EmbeddedLog, topic: str, group: str
) -> None:
    async with log.consumer(group, [topic]) as member:
        await member.poll(timeout_seconds=0)
        assert len(member.assignment()) == 12
        await EmbeddedLog(harbour.admin_url).create_topics([topic], partitions=24)
        await member.poll(timeout_seconds=0)
        assert len(member.assignment()) == 12


async def test_what_a_killed_member_held_is_free_at_once(
    world: EmbeddedWorld, log: EmbeddedLog, topic: str, group: str
) -> None:
    """Its connection is gone, and so there is no session to wait for."""
    world.session_seconds = 600
    stranger = await Member.start(world, group, topic)
    try:
        assert (await stranger.ask("poll"))["held"] == 12
        async with log.consumer(group, [topic]) as member:
            await member.poll(timeout_seconds=0)
            assert len(member.assignment()) == 6
            stranger.process.kill()
            await stranger.process.wait()
            async with asyncio.timeout(10):
                while len(member.assignment()) < 12:
                    await member.poll(timeout_seconds=0.1)
    finally:
        await stranger.end()


async def test_only_logs_that_we_know_are_opened() -> None:
    assert isinstance(open_log("postgresql://h/d"), EmbeddedLog)
    with pytest.raises(ValueError, match="not redis://"):
        open_log("redis://h")


async def test_a_server_that_forgot_a_position_as_it_died_is_told_again_though_nothing_new_comes(
    harbour: Harbour, log: EmbeddedLog, worker: asyncpg.Connection, topic: str, group: str
) -> None:
    """Positions are committed without waiting for the disk; what is done has no second effect, but it was lag."""
    await append(log, worker, topic, b"0", b"1")
    async with log.consumer(group, [topic]) as member, harbour.admin() as admin:
        polled = await member.poll(timeout_seconds=5)
        await member.commit({tp: records[-1].offset + 1 for tp, records in polled.items()})
        assert await log.lag(group, [topic]) == {}

        await admin.execute("update log.position set committed = null where group_name = $1", group)
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = "
            "current_database() and query like '%log.commit_positions%'"
        )
        assert sum((await log.lag(group, [topic])).values()) == 2
        async with asyncio.timeout(10):
            while await log.lag(group, [topic]):
                with suppress(LogUnavailable):
                    assert await member.poll(timeout_seconds=0) == {}, "what is done came again"
    await log.close()
