"""Promise: what dies, stops, fills up or is away for a while costs time and nothing else, and nobody has to mend it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from deploy.kafka.broker import Broker, obstacle, start_own
from deploy.local import postgres
from deploy.local.nursery import Nursery
from deploy.local.platform import Platform
from deploy.local.postmaster import HOST, living
from deploy.local.process import OUR_MARK
from libs.common.problems import MEDIA_TYPE
from tests.platform import Scenario
from tests.promises.ehr import Ehr
from tests.promises.storm import SERVICE, Standby, absorbed

pytestmark = pytest.mark.xdist_group("recovery")

SESSION_SECONDS = 10.0
GRACE_SECONDS = 5.0
STOP_SECONDS = 3.0
KEPT_SECONDS = 2.0
"""Shorter than an API keeps an idle connection, so that none is closed while it is taken up again."""
DISK = "700m"
AWAY_SECONDS, AWAY_SECONDS_AT_NIGHT = 30, 900

EMBEDDED = pytest.param("embedded", marks=pytest.mark.flow)
KAFKA = pytest.param("kafka", marks=pytest.mark.kafka)


@dataclass(frozen=True, slots=True)
class Stage:
    """A platform of its own, its broker where it has one, and the EHR that talks to it."""

    platform: Platform
    ehr: Ehr
    broker: Broker | None

    @property
    def disk(self) -> Path:
        """Where the database keeps its data: a disk of its own, where one can be made."""
        return self.platform.home / "postgres"

    @property
    def database_pid(self) -> int:
        found = living(self.disk / "data")
        assert found is not None, "the database does not run"
        return found

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.platform.processes().items()}

    def ended(self, before: dict[str, int]) -> dict[str, str]:
        """The last words of every process that had to be started again."""
        found = {}
        for name in (name for name, pid in self.pids().items() if pid != before[name]):
            words, _, _ = (self.platform.home / "logs" / f"{name}.log").read_text().rpartition(OUR_MARK)
            found[name] = words[-2_000:]
        return found


@contextlib.contextmanager
def a_broker(log: str, home: Path, required: bool) -> Iterator[Broker | None]:
    """A broker that nobody keeps running but the test."""
    reason = obstacle() if log == "kafka" else None
    if reason and required:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    broker = start_own(home) if log == "kafka" else None
    try:
        yield broker
    finally:
        if broker is not None:
            broker.stop()


@contextlib.contextmanager
def a_home() -> Iterator[Path]:
    """A folder that everybody may enter, with a small disk for the database in it where we may mount one."""
    home = Path(tempfile.mkdtemp(prefix="parity-recovery-"))
    home.chmod(0o755)
    disk = home / "postgres"
    disk.mkdir()
    mounted = os.geteuid() == 0 and _did("mount", "-t", "tmpfs", "-o", f"size={DISK}", "parity", str(disk))
    try:
        yield home
    finally:
        if mounted:
            assert _did("umount", str(disk))
        postgres.remove(home)
        _did("rm", "-r", str(home))


def _did(*command: str) -> bool:
    return subprocess.run(command, check=False).returncode == 0


@pytest.fixture(scope="module", params=[EMBEDDED, KAFKA])
async def stage(request: pytest.FixtureRequest, nursery: Nursery) -> AsyncIterator[Stage]:
    """Everything runs, and its EHR has patients."""
    with (
        a_home() as home,
        a_broker(request.param, home, request.config.getoption("require_kafka")) as broker,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.delenv("PARITY_DATABASE", raising=False)
        if broker is not None:
            patch.setenv("PARITY_KAFKA", broker.address)
        async with (
            Platform.running(home, log=request.param, durable=True, longest_delay=1, bear=nursery.spawn) as platform,
            httpx.AsyncClient(timeout=60, trust_env=False, limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS)) as http,
        ):
            note = json.loads((home / "postgres.json").read_text())
            admin_url = f"postgresql://postgres:{note['password']}@{HOST}:{note['port']}/parity"
            ehr = Ehr(await Scenario.open(platform, http), admin_url)
            await ehr.prepare()
            yield Stage(platform, ehr, broker)


@pytest.fixture
def on_embedded(stage: Stage) -> None:
    if stage.broker is not None:
        pytest.skip("the log does not matter here")


async def test_what_a_killed_worker_held_goes_on_within_its_session_and_five_seconds(
    stage: Stage, nursery: Nursery, capsys: pytest.CaptureFixture[str]
) -> None:
    took = {}

    async def goes_on_after(name: str, pid: int) -> None:
        await stage.ehr.tell(8)
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        await stage.ehr.tell(12)
        await stage.ehr.until_heard(SESSION_SECONDS * 6)
        took[name] = round(time.monotonic() - began, 1)

    async with Standby.running(stage.platform.home, nursery.spawn) as standby:
        await goes_on_after("a worker beside another", stage.pids()[f"{SERVICE}-worker"])
        await goes_on_after("the other", standby.pid)
    await goes_on_after("a worker alone", stage.pids()[f"{SERVICE}-worker"])
    with capsys.disabled():
        print(f"\nkilled, and all that was told is heard after (s): {took}")
    assert {name: seconds for name, seconds in took.items() if seconds > SESSION_SECONDS + GRACE_SECONDS} == {}
    assert await stage.ehr.broken_promises() == []


async def test_a_worker_that_is_asked_to_stop_leaves_nothing_that_comes_again(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    before, took = absorbed(stage.platform.home), {}
    async with stage.ehr.telling():
        await asyncio.sleep(1)
        for name in [part.name for part in stage.platform.parts if part.kind == "worker"]:
            process = stage.pids()[name]
            began = time.monotonic()
            os.kill(process, signal.SIGTERM)
            while stage.pids().get(name) == process:  # noqa: ASYNC110  another process says nothing
                await asyncio.sleep(0.01)
            took[name] = round(time.monotonic() - began, 2)
    await stage.platform.ready()
    broken = await stage.ehr.broken_promises()
    with capsys.disabled():
        print(f"\nasked to stop, ended after (s): {took}; {absorbed(stage.platform.home) - before} records came again")
    assert {name: seconds for name, seconds in took.items() if seconds > STOP_SECONDS} == {}
    assert broken == []
    assert absorbed(stage.platform.home) == before


async def test_while_the_broker_is_away_sessions_are_taken_and_then_all_of_them_flow(
    stage: Stage, night: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    broker, ehr = stage.broker, stage.ehr
    if broker is None:
        pytest.skip("the embedded log is away when the database is")
    seconds = AWAY_SECONDS_AT_NIGHT if night else AWAY_SECONDS
    told, answered, pids = len(ehr.taken), len(ehr.answers), stage.pids()
    broker.kill()
    async with ehr.telling(every_seconds=seconds / 150):
        for _ in range(10):
            await asyncio.sleep(seconds / 10)
            for url in stage.platform.urls.values():
                assert (await ehr.scenario.client.http.get(f"{url}/readyz")).status_code == 200
    assert [answer.status_code for answer in ehr.answers[answered:] if not answer.is_success] == []
    held = await ehr.unsent()
    assert held >= len(ehr.taken) - told >= 100

    broker.restart()
    began = time.monotonic()
    await ehr.until_ready(120)
    with capsys.disabled():
        print(
            f"\nbroker away for {seconds} s: {len(ehr.taken) - told} sessions taken, {held} events held, "
            f"all drained {time.monotonic() - began:.1f} s after it was back"
        )
    assert await ehr.broken_promises() == []
    assert stage.ended(pids) == {}


@pytest.mark.usefixtures("on_embedded")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_a_database_that_restarts_under_load_is_waited_out(
    stage: Stage, how: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    ehr, pids, answered = stage.ehr, stage.pids(), len(stage.ehr.answers)
    async with ehr.telling():
        await asyncio.sleep(1)
        before = stage.database_pid
        os.kill(before, how)
        while living(stage.disk / "data") in (None, before):  # noqa: ASYNC110  another process says nothing
            await asyncio.sleep(0.05)
        await stage.platform.ready()
        await asyncio.sleep(1)
    refused = _clear_refusals(ehr.answers[answered:])
    assert await ehr.broken_promises() == []
    await ehr.taken_again(20)
    with capsys.disabled():
        print(f"\n{how.name} to the database: {refused} refusals in {len(ehr.answers) - answered} answers")
    assert refused > 0
    assert ehr.unanswered == 0
    assert stage.ended(pids) == {}


@pytest.mark.usefixtures("on_embedded")
async def test_a_full_disk_is_refused_clearly_and_forgotten_when_there_is_room(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    if not stage.disk.is_mount():
        pytest.skip("only root may mount a small disk")
    ehr, pids, answered = stage.ehr, stage.pids(), len(stage.ehr.answers)
    ballast = stage.disk / "ballast"
    async with ehr.telling():
        await asyncio.sleep(1)
        _fill(ballast)
        await _until_refused(ehr, answered, 5)
        by_rows = len(ehr.answers) - answered
        await _use_up_the_journal(ehr.admin_url)
        await _until_refused(ehr, by_rows + answered, 5)
        await asyncio.sleep(3)
        ballast.unlink()
        await stage.platform.ready()
        await asyncio.sleep(1)
    refused = _clear_refusals(ehr.answers[answered:])
    assert await ehr.broken_promises() == []
    await ehr.taken_again(20)
    with capsys.disabled():
        print(f"\ndisk full: {refused} refusals in {len(ehr.answers) - answered} answers")
    assert ehr.unanswered == 0
    assert stage.ended(pids) == {}


def _clear_refusals(answers: list[httpx.Response]) -> int:
    """How many were refused, each of them as what it is: not now, try again after so many seconds."""
    refused = [answer for answer in answers if not answer.is_success]
    for answer in refused:
        assert (answer.status_code, answer.headers["content-type"]) == (503, MEDIA_TYPE), answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert (answer.json()["code"], answer.json()["retryable"]) == ("database_unavailable", True)
    return len(refused)


def _fill(path: Path) -> None:
    """There is no room left on the disk of `path`."""
    with path.open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while ballast.write(bytes(1_000_000)):
            pass
    with path.open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
        while ballast.write(bytes(4096)):
            pass


async def _until_refused(ehr: Ehr, since: int, count: int) -> None:
    async with asyncio.timeout(60):
        while sum(not answer.is_success for answer in ehr.answers[since:]) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _use_up_the_journal(admin_url: str) -> None:
    """The database has gone on to journal files until there was none for which there is room, and has fallen."""
    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection = await asyncpg.connect(admin_url, timeout=5)
        for _ in range(100):
            await connection.execute("select pg_switch_wal()")
            await connection.execute("select pg_logical_emit_message(false, 'parity', repeat('x', 100000))")
