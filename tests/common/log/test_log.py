"""What every event log promises, asked of both: Kafka, and the one in Postgres."""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from libs.common.log import (
    MAX_VALUE_BYTES,
    PARTITIONS,
    Consumer,
    LogUnavailable,
    Message,
    PartitionLost,
    Record,
    RecordTooLarge,
    TopicPartition,
)
from tests.common.log.worlds import World

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 30.0


def messages(topic: str, *, keys: int, each: int, first: int = 0) -> list[Message]:
    """`each` records of each of `keys` keys, interleaved; the value is the number within the key."""
    return [
        Message(topic=topic, key=f"clm_{key}", value=str(number).encode())
        for number in range(first, first + each)
        for key in range(keys)
    ]


async def read(
    member: Consumer, enough: Callable[[list[Record]], bool], *, commit: bool = True, seconds: float = PATIENCE
) -> list[Record]:
    """What a member gets until it is enough, outages waited out."""
    got: list[Record] = []
    until = time.monotonic() + seconds
    while not enough(got):
        assert time.monotonic() < until, f"only {len(got)} records in {seconds} s"
        with contextlib.suppress(LogUnavailable):
            polled = await member.poll(timeout_seconds=0.2)
            got += [record for records in polled.values() for record in records]
            if commit and polled:
                with contextlib.suppress(PartitionLost):
                    await member.commit(ends(polled))
    return got


def ends(polled: dict[TopicPartition, list[Record]]) -> dict[TopicPartition, int]:
    return {tp: records[-1].offset + 1 for tp, records in polled.items()}


def at_least(count: int) -> Callable[[list[Record]], bool]:
    """Enough: so many different records."""
    return lambda got: len({(r.key, r.value) for r in got}) >= count


def first_seen(got: Iterable[Record]) -> dict[str, list[int]]:
    """The numbers of each key in the order in which they were first seen."""
    seen: dict[str, list[int]] = defaultdict(list)
    for record in got:
        if int(record.value) not in seen[record.key]:
            seen[record.key].append(int(record.value))
    return dict(seen)


async def test_records_of_a_key_come_in_the_order_in_which_they_were_appended(
    world: World, topic: str, group: str
) -> None:
    await world.append(messages(topic, keys=30, each=10))
    await world.append(messages(topic, keys=30, each=10, first=10))

    log = world.log()
    async with log.consumer(group, [topic]) as member:
        got = await read(member, at_least(600))
        assert len(member.assignment()) == PARTITIONS

    assert first_seen(got) == {f"clm_{key}": list(range(20)) for key in range(30)}
    assert len({record.partition for record in got}) > PARTITIONS // 2
    assert all(len({r.partition for r in got if r.key == key}) == 1 for key in ("clm_1", "clm_2"))
    await log.close()


async def test_a_record_comes_back_as_it_went_in(world: World, topic: str, group: str) -> None:
    value = bytes(range(256))
    await world.append([Message(topic=topic, key="clm_é", value=value, headers={"to": "réporting", "empty": ""})])

    log = world.log()
    async with log.consumer(group, [topic]) as member:
        (record,) = await read(member, bool)

    assert (record.topic, record.key, record.value) == (topic, "clm_é", value)
    assert dict(record.headers) == {"to": "réporting", "empty": ""}
    assert record.offset == 0
    await log.close()


async def test_a_record_of_one_megabyte_passes_among_small_ones(world: World, topic: str, group: str) -> None:
    big = b"x" * 1_048_576
    small = messages(topic, keys=1, each=3)
    await world.append(
        [*small, Message(topic=topic, key="clm_0", value=big), *messages(topic, keys=1, each=1, first=3)]
    )

    log = world.log()
    async with log.consumer(group, [topic]) as member:
        got = await read(member, lambda got: len(got) >= 5)

    assert [len(record.value) for record in got] == [1, 1, 1, 1_048_576, 1]
    await log.close()


def test_a_record_over_the_limit_is_refused_before_it_can_block_what_follows() -> None:
    Message(topic="t", key="k", value=b"x" * MAX_VALUE_BYTES)
    with pytest.raises(RecordTooLarge):
        Message(topic="t", key="k", value=b"x" * (MAX_VALUE_BYTES + 1))


async def test_a_group_reads_on_from_its_last_commit_after_a_restart(world: World, topic: str, group: str) -> None:
    await world.append(messages(topic, keys=5, each=4))
    log = world.log()
    async with log.consumer(group, [topic]) as member:
        await read(member, at_least(20))
        await world.append(messages(topic, keys=5, each=2, first=4))
        uncommitted = await read(member, at_least(10), commit=False)

    async with log.consumer(group, [topic]) as member:
        again = await read(member, at_least(10))
    assert first_seen(again) == first_seen(uncommitted) == {f"clm_{key}": [4, 5] for key in range(5)}
    assert await log.lag(group, [topic]) == {}
    await log.close()


async def test_lag_tells_what_a_group_has_not_committed(world: World, topic: str, group: str) -> None:
    log = world.log()
    assert await log.lag(group, [topic]) == {}
    await world.append(messages(topic, keys=7, each=3))
    assert sum((await log.lag(group, [topic])).values()) == 21

    async with log.consumer(group, [topic]) as member:
        await read(member, at_least(21), commit=False)
        assert sum((await log.lag(group, [topic])).values()) == 21
    async with log.consumer(group, [topic]) as member:
        await read(member, at_least(21))
    assert await log.lag(group, [topic]) == {}
    await log.close()


async def test_a_member_may_join_and_leave_in_the_middle_and_no_record_is_lost_or_out_of_order(
    world: World, topic: str, group: str
) -> None:
    log = world.log()
    got: list[Record] = []
    held: dict[str, int] = {}
    stop = {"first": asyncio.Event(), "second": asyncio.Event()}

    async def run(name: str) -> None:
        async with log.consumer(group, [topic]) as member:
            while not stop[name].is_set():
                polled = await member.poll(timeout_seconds=0.1, max_records=20)
                got.extend(record for records in polled.values() for record in records)
                held[name] = len(member.assignment())
                await asyncio.sleep(0)
                with contextlib.suppress(PartitionLost):
                    await member.commit(ends(polled))

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110  what is awaited is the other member
                await asyncio.sleep(0.02)

    first = asyncio.create_task(run("first"))
    await world.append(messages(topic, keys=24, each=10))
    await until(lambda: held.get("first") == PARTITIONS and bool(got))

    second = asyncio.create_task(run("second"))
    await world.append(messages(topic, keys=24, each=10, first=10))
    await until(lambda: held.get("first") == held.get("second") == PARTITIONS // 2)
    await world.append(messages(topic, keys=24, each=10, first=20))
    await asyncio.sleep(0.2)

    stop["first"].set()
    await first
    await world.append(messages(topic, keys=24, each=10, first=30))
    await until(lambda: held["second"] == PARTITIONS)
    await until(lambda: at_least(24 * 40)(got))
    stop["second"].set()
    await second

    assert first_seen(got) == {f"clm_{key}": list(range(40)) for key in range(24)}
    await log.close()


class Member:
    """A member in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, world: World, group: str, topic: str) -> "Member":
        arguments = ["-m", "tests.common.log.member", world.address, str(world.session_seconds), group, topic]
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdin=pipe, stdout=pipe))

    async def ask(self, what: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n".encode())
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self.process.stdout.readline())

    async def poll_until_records(self) -> list[list[Any]]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            answer = await self.ask("poll")
            if answer != "unavailable" and answer["records"]:
                return list(answer["records"])
        raise AssertionError("no records")

    def send(self, what: signal.Signals) -> None:
        self.process.send_signal(what)

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()


@pytest.fixture
async def stranger(world: World, topic: str, group: str) -> AsyncIterator[Member]:
    """Another process that is a member of the group, the only one at first."""
    member = await Member.start(world, group, topic)
    yield member
    await member.end()


async def test_what_a_killed_member_had_not_committed_comes_again(
    world: World, topic: str, group: str, stranger: Member
) -> None:
    await world.append(messages(topic, keys=6, each=2))
    had = await stranger.poll_until_records()
    stranger.send(signal.SIGKILL)

    log = world.log()
    async with log.consumer(group, [topic]) as member:
        got = await read(member, at_least(12))
    assert {(key, number) for key, number in had} <= {(r.key, int(r.value)) for r in got}
    assert first_seen(got) == {f"clm_{key}": [0, 1] for key in range(6)}
    await log.close()


async def test_a_member_that_was_stopped_and_comes_back_is_told_that_its_partitions_moved(
    world: World, topic: str, group: str, stranger: Member
) -> None:
    await world.append(messages(topic, keys=6, each=2))
    await stranger.poll_until_records()
    stranger.send(signal.SIGSTOP)

    log = world.log()
    async with log.consumer(group, [topic]) as member:
        await read(member, at_least(12))  # after its session, all partitions are ours
        assert await log.lag(group, [topic]) == {}

        stranger.send(signal.SIGCONT)
        assert await stranger.ask("commit") == "lost"
        assert await log.lag(group, [topic]) == {}, "a fenced commit moved the group's position"

        await world.append(messages(topic, keys=6, each=2, first=2))
        theirs = asyncio.create_task(_both_take_part(stranger))
        ours = await read(member, lambda got: theirs.done())
    got = {(r.key, int(r.value)) for r in ours} | await theirs
    assert got == {(f"clm_{key}", number) for key in range(6) for number in (2, 3)}
    await log.close()


async def _both_take_part(stranger: Member) -> set[tuple[str, int]]:
    """The stranger polls until it holds partitions again and the records have had time to come."""
    got: set[tuple[str, int]] = set()
    quiet = 0
    async with asyncio.timeout(PATIENCE):
        while quiet < 5:
            answer = await stranger.ask("poll")
            if answer == "unavailable":
                continue
            got |= {(key, number) for key, number in answer["records"]}
            quiet = quiet + 1 if answer["held"] and not answer["records"] else 0
            await stranger.ask("commit")
    return got


async def test_an_outage_in_the_middle_loses_nothing(world: World, topic: str, group: str) -> None:
    await world.append(messages(topic, keys=6, each=3))
    log = world.log()
    async with log.consumer(group, [topic]) as member:
        got = await read(member, at_least(18))

        world.kill()
        with pytest.raises((LogUnavailable, OSError)):
            await world.append(messages(topic, keys=6, each=1, first=3))
        await _nothing_comes(member)
        world.restart()

        await _append_until_done(world, messages(topic, keys=6, each=2, first=3))
        got += await read(member, at_least(12))

    assert first_seen(got) == {f"clm_{key}": list(range(5)) for key in range(6)}
    await log.close()


async def test_a_member_that_starts_while_the_log_is_away_begins_when_it_is_back(
    world: World, topic: str, group: str
) -> None:
    await world.append(messages(topic, keys=6, each=3))
    world.kill()
    log = world.log()
    async with log.consumer(group, [topic]) as member:
        await _nothing_comes(member)
        world.restart()
        got = await read(member, at_least(18))
    assert first_seen(got) == {f"clm_{key}": list(range(3)) for key in range(6)}
    await log.close()


async def _nothing_comes(member: Consumer) -> None:
    try:
        assert await member.poll(timeout_seconds=0.2) == {}
    except LogUnavailable:
        return


async def _append_until_done(world: World, batch: list[Message]) -> None:
    """As the relay does: the whole batch again, until the log takes it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await world.append(batch)
            except (LogUnavailable, OSError):
                await asyncio.sleep(0.1)


async def test_topics_come_into_being_by_the_command_only_and_are_left_alone_by_its_repetition(
    world: World, topic: str, group: str
) -> None:
    await world.append(messages(topic, keys=3, each=1))
    await world.create_topics([topic])
    log = world.log()
    assert sum((await log.lag(group, [topic])).values()) == 3
    await log.close()
