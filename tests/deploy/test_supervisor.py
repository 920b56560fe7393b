"""All processes start together, what dies comes back, and everything stops in good order."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from deploy.local import background
from deploy.local.plain import PlainError
from deploy.local.platform import Platform
from deploy.local.postgres import Cluster, remove
from deploy.local.postmaster import command_of, living
from deploy.local.state import State, supervisor_of
from deploy.local.supervisor import Supervisor
from deploy.local.topology import free_base, parts
from tests.deploy.conftest import set_mood

SERVICES = ("claims", "eligibility")
EVERYTHING = {"claims-api", "claims-worker", "eligibility-api", "eligibility-worker"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server that is there already; not the run's own, since a start sets its own passwords."""
    cluster = Cluster.start(tmp_path_factory.mktemp("server"), durable=False)
    yield cluster
    cluster.stop()
    remove(cluster.home)


@pytest.fixture(autouse=True)
def named_database(server: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """PARITY_DATABASE names it."""
    monkeypatch.setenv("PARITY_DATABASE", server.admin_url)


@pytest.fixture
def own_postgres(named_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is named: a start brings its own."""
    monkeypatch.delenv("PARITY_DATABASE")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "home"
    yield place
    if place.exists():
        background.stop(place)
        remove(place)


@pytest.fixture
async def platform(home: Path, root: Path) -> AsyncIterator[Platform]:
    async with Platform.running(home, services=SERVICES, root=root) as running:
        yield running


def supervisor(home: Path, root: Path, base_port: int | None = None) -> Supervisor:
    return Supervisor(
        home, log="embedded", base_port=base_port or free_base(), durable=False, services=SERVICES, root=root
    )


def start_in_background(home: Path, root: Path) -> State:
    return background.start(
        home,
        log="embedded",
        base_port=free_base(),
        durable=False,
        database="parity",
        said=lambda _: None,
        services=SERVICES,
        root=root,
    )


async def test_a_killed_process_is_started_again_and_its_neighbours_never_notice(platform: Platform) -> None:
    before = platform.processes()
    assert set(before) == EVERYTHING

    old = platform.kill("claims-worker")
    await until(lambda: (found := platform.processes().get("claims-worker")) is not None and found.pid != old)
    await platform.ready()

    after = platform.processes()
    assert after.pop("claims-worker").restarts == 1
    assert before.pop("claims-worker").pid == old
    assert after == before


@pytest.mark.usefixtures("own_postgres")
async def test_leaving_stops_every_process_and_the_database(home: Path, root: Path) -> None:
    async with Platform.running(home, services=SERVICES, root=root) as platform:
        pids = [process.pid for process in platform.processes().values()]
        pids.append(database := living(data_of(home)) or 0)
        assert database
    assert [pid for pid in pids if command_of(pid)] == []
    state = State.read(home)
    assert state is not None
    assert (state.phase, state.processes) == ("stopped", {})
    assert supervisor_of(home) is None


async def test_several_workers_of_a_service_run_side_by_side(home: Path, root: Path) -> None:
    async with Platform.running(home, services=("claims",), workers=3, root=root) as platform:
        assert set(platform.processes()) == {"claims-api", "claims-worker", "claims-worker-2", "claims-worker-3"}
        assert len({process.port for process in platform.processes().values()}) == 4
        assert platform.worker_urls["claims"].endswith(str(platform.base_port + 102))


@pytest.mark.slow
async def test_a_process_that_ignores_sigterm_is_ended_by_force(
    home: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.supervisor.STOP_SECONDS", 0.3)
    set_mood(root, "claims", "stubborn")
    async with Platform.running(home, services=SERVICES, root=root) as platform:
        pids = [process.pid for process in platform.processes().values()]
        began = time.monotonic()
    assert [pid for pid in pids if command_of(pid)] == []
    assert time.monotonic() - began < 5


@pytest.mark.slow
@pytest.mark.usefixtures("own_postgres")
async def test_a_killed_database_comes_back(home: Path, root: Path) -> None:
    async with Platform.running(home, services=SERVICES, root=root):
        data = data_of(home)
        pid = living(data)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: living(data) not in (None, pid), seconds=15)


async def test_a_failed_migration_is_one_line_and_nothing_stays_behind(home: Path, root: Path) -> None:
    set_mood(root, "claims", "cannot migrate")
    with pytest.raises(PlainError, match=r"the schemas could not be migrated; see .*: claims: relation does not fit"):
        async with supervisor(home, root):
            pytest.fail("it must not start")
    state = State.read(home)
    assert state is not None
    assert state.phase == "failed"
    assert "relation does not fit" in state.message
    assert supervisor_of(home) is None


@pytest.mark.slow
async def test_a_process_that_never_becomes_ready_is_named_with_its_last_words(home: Path, root: Path) -> None:
    set_mood(root, "eligibility", "never ready")
    async with supervisor(home, root) as running:
        with pytest.raises(PlainError, match=r"eligibility-api is not ready after 1 s; see .*log") as refused:
            await running.ready(1.0)
    assert "the key ring cannot be read" in str(refused.value)


async def test_a_taken_port_is_named_with_what_to_do(home: Path, root: Path) -> None:
    base = free_base()
    worker = parts(base, ["claims"])[1]
    with (
        socket.create_server(("127.0.0.1", worker.port)),
        pytest.raises(PlainError, match=rf"port {worker.port}, which claims-worker needs, is taken .*PARITY_BASE_PORT"),
    ):
        async with supervisor(home, root, base):
            pytest.fail("it must not start")


@pytest.mark.parametrize(
    "named", ["postgresql://postgres:wrong@127.0.0.1:{port}/postgres", "postgresql://postgres:any@127.0.0.1:1/postgres"]
)
async def test_a_named_database_that_does_not_let_us_in_is_one_line(
    home: Path, root: Path, server: Cluster, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARITY_DATABASE", named.format(port=server.port))
    with pytest.raises(PlainError, match="PARITY_DATABASE has to name a server"):
        async with supervisor(home, root):
            pytest.fail("it must not start")


@pytest.mark.slow
async def test_a_state_made_with_one_log_is_not_continued_with_another(home: Path, root: Path) -> None:
    async with supervisor(home, root):
        pass
    other = Supervisor(home, log="kafka", base_port=free_base(), services=SERVICES, root=root)
    with pytest.raises(PlainError, match=r"made with LOG=embedded; use that, or `make reset`"):
        async with other:
            pytest.fail("it must not start")


async def test_two_supervisors_never_share_a_home(platform: Platform, home: Path, root: Path) -> None:
    with pytest.raises(PlainError, match="already runs"):
        async with supervisor(home, root):
            pytest.fail("it must not start")
    await platform.ready()


@pytest.mark.slow
class TestInTheBackground:
    def test_it_runs_on_after_the_command_has_ended_and_down_stops_it(self, home: Path, root: Path) -> None:
        state = start_in_background(home, root)
        assert set(state.processes) == EVERYTHING
        assert httpx.get(f"http://127.0.0.1:{state.processes['claims-api'].port}/readyz").status_code == 200
        assert Platform.attached(home).urls.keys() == set(SERVICES)

        assert background.stop(home)
        assert not any(command_of(process.pid) for process in state.processes.values())
        assert not background.stop(home), "a second `make down` finds nothing"

    def test_whoever_comes_while_it_starts_waits_for_it(self, home: Path, root: Path) -> None:
        with ThreadPoolExecutor() as pool:
            starting = pool.submit(start_in_background, home, root)
            while (pid := supervisor_of(home)) is None:
                time.sleep(0.01)
            joined = background.await_ready(home, pid, lambda _phase: None)
        assert joined.phase == "ready"
        assert joined.processes == starting.result().processes

    def test_a_killed_supervisors_processes_are_ended_by_the_next_start(self, home: Path, root: Path) -> None:
        first = start_in_background(home, root)
        kill_supervisor(home, first.pid)

        second = start_in_background(home, root)

        assert not any(command_of(process.pid) for process in first.processes.values())
        assert set(second.processes) == EVERYTHING

    @pytest.mark.usefixtures("own_postgres")
    def test_a_killed_supervisors_processes_are_ended_by_down(self, home: Path, root: Path) -> None:
        first = start_in_background(home, root)
        kill_supervisor(home, first.pid)
        assert background.stop(home)
        assert not any(command_of(process.pid) for process in first.processes.values())
        assert living(data_of(home)) is None

    def test_why_it_does_not_start_is_said_to_whoever_asked(self, home: Path, root: Path) -> None:
        set_mood(root, "claims", "cannot migrate")
        with pytest.raises(PlainError, match="relation does not fit"):
            start_in_background(home, root)

    def test_reset_leaves_nothing(self, home: Path, root: Path) -> None:
        start_in_background(home, root)
        background.reset(home, database="parity")
        assert not home.exists()


def kill_supervisor(home: Path, pid: int) -> None:
    """It is gone, and so is its lock."""
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while supervisor_of(home) is not None and time.monotonic() < deadline:
        time.sleep(0.01)


def data_of(home: Path) -> Path:
    return Path(json.loads((home / "postgres.json").read_text())["data"])


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
