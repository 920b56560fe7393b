"""The embedded Postgres starts from whatever an earlier start has left, and says plainly why it cannot."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import postgres, unprivileged
from deploy.local.plain import PlainError
from deploy.local.postgres import Cluster, remove
from deploy.local.postmaster import command_of, living


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, as a checkout under /home or /srv is; pytest's own is closed."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def prepared(open_folder: Path) -> Path:
    """A home in which Postgres has run once."""
    Cluster.start(open_folder / "prepared", durable=False).stop()
    return open_folder / "prepared"


@pytest.fixture
def home(prepared: Path, open_folder: Path) -> Iterator[Path]:
    """A copy of it, of this test's own."""
    place = open_folder / uuid.uuid4().hex
    subprocess.run(["cp", "-a", prepared, place], check=True)
    yield place
    remove(place)


@pytest.fixture
def no_home(open_folder: Path) -> Iterator[Path]:
    """A home in which nothing has run."""
    place = open_folder / uuid.uuid4().hex
    yield place
    remove(place)


async def ask(cluster: Cluster, sql: str) -> object:
    connection = await asyncpg.connect(cluster.admin_url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_what_was_written_is_there_after_a_stop_and_after_a_kill(home: Path) -> None:
    cluster = Cluster.start(home, durable=True)
    await ask(cluster, "create table money as select 13500 as cents")
    port = cluster.port

    cluster.kill()
    cluster.restart()
    assert await ask(cluster, "select cents from money") == 13500

    cluster.stop()
    cluster = Cluster.start(home, durable=True)
    assert await ask(cluster, "select cents from money") == 13500
    assert cluster.port == port, "the port is kept between runs"
    cluster.stop()


async def test_a_taken_port_is_replaced(home: Path) -> None:
    first = Cluster.start(home, durable=False)
    first.stop()
    with socket.create_server(("127.0.0.1", first.port)):
        second = Cluster.start(home, durable=False)
        assert second.port != first.port
        assert await ask(second, "select 1") == 1
        second.stop()


async def test_a_server_whose_parent_was_killed_is_taken_over(home: Path) -> None:
    first = Cluster.start(home, durable=False)
    orphan = first.pid
    assert orphan is not None
    first._lock.close()  # as the operating system does when the parent dies

    second = Cluster.start(home, durable=False)

    assert await ask(second, "select 1") == 1
    assert second.pid != orphan
    second.stop()
    assert first._server is not None
    first._server.wait(5)


async def test_an_interrupted_initdb_is_made_anew(home: Path) -> None:
    half = home / "postgres" / "data.half"
    (home / "postgres" / "data").rename(half)
    (half / "PG_VERSION").unlink()

    cluster = Cluster.start(home, durable=False)

    assert await ask(cluster, "select 1") == 1
    assert not half.exists()
    cluster.stop()


@pytest.mark.slow
async def test_a_pid_file_of_a_process_that_is_somebody_else_by_now_does_no_harm(home: Path) -> None:
    data = home / "postgres" / "data"
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")

    cluster = Cluster.start(home, durable=False)

    assert await ask(cluster, "select 1") == 1
    cluster.stop()


@pytest.mark.slow
def test_a_second_start_from_the_same_home_is_refused_in_one_line(home: Path) -> None:
    cluster = Cluster.start(home, durable=False)
    with pytest.raises(PlainError, match=r"already runs from .*make down"):
        Cluster.start(home, durable=False)
    cluster.stop()


def test_data_of_another_major_version_is_refused_in_one_line(home: Path) -> None:
    data = home / "postgres" / "data"
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(PlainError, match=r"is of PostgreSQL 9, .*make reset"):
        Cluster.start(home, durable=False)


def test_a_home_that_is_a_file_is_refused_by_the_operating_system_and_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "readonly").mkdir(mode=0o500)
    if os.geteuid() == 0:
        pytest.skip("root writes anywhere")
    with pytest.raises(PlainError, match="permission denied"):
        Cluster.start(tmp_path / "readonly" / "parity", durable=False)


async def test_the_servers_log_holds_no_statement_no_parameter_and_no_row(home: Path) -> None:
    cluster = Cluster.start(home, durable=True)
    connection = await asyncpg.connect(cluster.admin_url)
    await connection.execute("create table patient (name text primary key)")
    await connection.execute("insert into patient values ('Canary Rivera')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("insert into patient values ('Canary Rivera')")
    with pytest.raises(asyncpg.DataError):
        await connection.fetchval("select $1::text::int", "Canary Rivera")
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await connection.execute("select 'Canary Rivera' from from")
    await connection.close()
    cluster.stop()
    assert "Canary" not in (home / "logs" / "postgres.log").read_text()


async def test_nobody_enters_without_the_password(home: Path) -> None:
    cluster = Cluster.start(home, durable=False)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://postgres:guess@127.0.0.1:{cluster.port}/postgres")
    assert (home / "postgres.json").stat().st_mode & 0o077 == 0
    cluster.stop()


@pytest.mark.slow
def test_removing_leaves_nothing(home: Path) -> None:
    remove(home)
    assert [path.name for path in home.iterdir()] == ["logs"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Postgres as somebody else")
class TestAsRoot:
    @pytest.fixture
    def closed(self, tmp_path: Path) -> Path:
        """A folder like root's home: closed to everybody else."""
        place = tmp_path / "root"
        place.mkdir(mode=0o700)
        return place

    def test_a_checkout_in_a_closed_folder_works_and_stays_closed(self, closed: Path) -> None:
        cluster = Cluster.start(closed / ".parity", durable=False)
        try:
            assert closed.stat().st_mode & 0o777 == 0o700, "nobody's permissions are loosened"
            assert cluster.data.is_relative_to(unprivileged.OUTSIDE)
            assert cluster.pid is not None
            assert Path(f"/proc/{cluster.pid}").stat().st_uid == unprivileged.runner().uid != 0
        finally:
            cluster.stop()
            remove(cluster.home)
        assert not cluster.data.exists()

    @pytest.mark.slow
    def test_what_a_removed_checkout_left_elsewhere_is_swept_by_the_next_start(self, closed: Path, home: Path) -> None:
        gone = Cluster.start(closed / ".parity", durable=False)
        orphan, data = gone.pid, gone.data
        assert orphan is not None
        gone._lock.close()
        shutil.rmtree(gone.home)

        Cluster.start(home, durable=False).stop()

        assert not data.exists()
        assert gone._server is not None
        gone._server.wait(5)

    @pytest.mark.slow
    def test_programs_in_a_closed_folder_are_copied_once_and_run(
        self, closed: Path, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        who, installed = unprivileged.runner(), unprivileged._installed()
        package = installed.parents[1]
        if package.parent.name != "site-packages":
            pytest.skip("PostgreSQL is not from a wheel here")
        for source in (package, package.with_name(f"{package.name}.libs")):
            subprocess.run(["cp", "-al", source, closed], check=True)
        moved = closed / installed.relative_to(package.parent)
        monkeypatch.setattr(unprivileged, "_installed", lambda: moved)

        copy = unprivileged.programs(who)
        try:
            assert copy.is_relative_to(unprivileged.OUTSIDE)
            cluster = Cluster.start(home, durable=False)
            assert cluster._programs == copy
            cluster.stop()
        finally:
            shutil.rmtree(copy.parents[3])


@pytest.mark.slow
def test_the_process_of_a_data_folder_is_known_only_while_it_lives(home: Path) -> None:
    cluster = Cluster.start(home, durable=False)
    pid = cluster.pid
    assert pid is not None
    assert living(cluster.data) == pid
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: living(cluster.data) is None)
    assert command_of(pid) == ""
    cluster.restart()
    cluster.stop()


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.slow
async def test_many_first_starts_at_once_leave_one_server(no_home: Path) -> None:
    home = no_home
    outcomes = await asyncio.gather(
        *(asyncio.to_thread(Cluster.start, home, durable=False) for _ in range(4)), return_exceptions=True
    )
    started = [one for one in outcomes if isinstance(one, Cluster)]
    assert len(started) == 1
    assert all(isinstance(one, PlainError) for one in outcomes if one not in started)
    started[0].stop()


def test_a_full_disk_is_said_in_one_line() -> None:
    said = postgres._refusal("initdb", "initdb: error: could not write: No space left on device\n", Path("/x/data"))
    assert str(said) == "the disk is full; free some space and try again."
