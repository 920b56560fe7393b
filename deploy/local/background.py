"""A supervisor that runs on after the command that started it has ended."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import asyncpg

from deploy.kafka.jvm import end_leftover
from deploy.local import postgres
from deploy.local.plain import PlainError, plainly
from deploy.local.postmaster import command_of
from deploy.local.state import State, end_orphans, owned, supervisor_of
from deploy.local.topology import ROOT, SERVICES

START_SECONDS = 240.0
STOP_SECONDS = 40.0


def start(
    home: Path,
    *,
    log: str,
    base_port: int,
    durable: bool,
    database: str,
    said: Callable[[str], None],
    services: Iterable[str] = SERVICES,
    workers: int = 1,
    root: Path = ROOT,
) -> State:
    """All services of `home` answer; `said` hears of each phase on the way."""
    if supervisor_of(home) is not None:
        raise PlainError(f"Parity already runs from {home}; `make down` stops it.")
    with plainly(home):
        (home / "logs").mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "deploy.local", "run", "--home", str(home), "--log", log]
        command += ["--root", str(root), "--services", *services, "--workers", str(workers)]
        command += ["--base-port", str(base_port), "--database", database, "--durable" if durable else "--no-durable"]
        pid = _detached(command, home / "logs" / "supervisor.log")
    try:
        return await_ready(home, pid, said)
    except BaseException:  # Ctrl-C while it starts, or it failed: nothing stays behind
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        _within(STOP_SECONDS, lambda: not command_of(pid))
        raise


def stop(home: Path) -> bool:
    """Nothing of `home` runs any more; True if something did."""
    pid = supervisor_of(home)
    if pid is None:
        return _stop_orphans(home)
    for kind, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, kind)
        except ProcessLookupError:
            break
        if _within(seconds, lambda: supervisor_of(home) is None):
            break
    _stop_orphans(home)
    return True


def reset(home: Path, *, database: str) -> None:
    """Nothing is left of `home`, nor of its database on a server that PARITY_DATABASE names."""
    stop(home)
    named = os.environ.get("PARITY_DATABASE", "")
    if named:
        asyncio.run(_drop(named, database))
    if home.is_dir():
        postgres.remove(home)
        with plainly(home):
            shutil.rmtree(home)


async def _drop(admin_url: str, database: str) -> None:
    try:
        connection = await asyncpg.connect(admin_url)
    except (OSError, asyncpg.PostgresError) as error:
        raise PlainError(f"the server named by PARITY_DATABASE does not let us in: {type(error).__name__}.") from error
    try:
        await connection.execute(f'drop database if exists "{database}" with (force)')
    finally:
        await connection.close()


def _stop_orphans(home: Path) -> bool:
    """End what a killed supervisor left, Postgres included."""
    state = State.read(home)
    if state is None or state.phase in ("stopped", "failed"):
        return False
    with owned(home):
        end_orphans(home)
        end_leftover(home)
        if (home / "postgres.json").exists():
            postgres.Cluster.start(home, durable=True).stop()  # taking over is the way to end it in good order
        state.phase, state.processes = "stopped", {}
        state.write(home)
    return True


def _detached(command: list[str], log: Path) -> int:
    """The number of a process that is nobody's child, in a session of its own, and writes to `log`."""
    started = subprocess.run(
        ["/bin/sh", "-c", '"$@" >>"$0" 2>&1 </dev/null & echo $!', str(log), *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        start_new_session=True,
    )
    return int(started.stdout)


def await_ready(home: Path, pid: int, said: Callable[[str], None]) -> State:
    """What that supervisor starts, or has started, answers."""
    deadline = time.monotonic() + START_SECONDS
    heard = ""
    while time.monotonic() < deadline:
        ended = not command_of(pid)
        state = State.read(home)
        if state is not None and state.pid != pid:
            state = None  # an earlier start's
        if state is not None and state.phase != heard:
            heard = state.phase
            said(heard)
        if state is not None and state.phase == "ready":
            return state
        if ended:
            raise PlainError((state and state.message) or _last_line(home / "logs" / "supervisor.log"))
        time.sleep(0.05)
    raise PlainError(f"Parity did not start within {START_SECONDS:.0f} s; see {home / 'logs'}.")


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("parity: ") if lines else f"it ended without a word; see {log}."


def _within(seconds: float, done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
