"""What a supervisor notes about itself, so that `make down`, tests and the next start can find it."""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from deploy.local.plain import PlainError, plainly
from deploy.local.postmaster import PROC, command_of

HOME_VARIABLE = "PARITY_HOME"


@dataclass(frozen=True, slots=True)
class Running:
    """One process as it is now."""

    pid: int
    port: int
    restarts: int = 0


@dataclass(slots=True)
class State:
    """A home as its supervisor last noted it."""

    pid: int
    log: str
    base_port: int
    phase: str = "starting"
    message: str = ""
    database: str = ""
    """The database's address without a login."""
    kafka: str | None = None
    services: tuple[str, ...] = ()
    workers: int = 1
    """How many of each service."""
    processes: dict[str, Running] = field(default_factory=dict)

    def write(self, home: Path) -> None:
        """The note is whole at any moment."""
        fresh = home / "state.json.new"
        fresh.write_text(json.dumps(asdict(self), indent=1))
        fresh.replace(home / "state.json")

    @classmethod
    def read(cls, home: Path) -> "State | None":
        """The note of the last supervisor, running or not."""
        try:
            found = json.loads((home / "state.json").read_text())
            processes = {name: Running(**process) for name, process in found.pop("processes").items()}
            services = tuple(found.pop("services"))
            return cls(**found, services=services, processes=processes)
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
            return None


@contextlib.contextmanager
def owned(home: Path) -> Iterator[None]:
    """Nobody else starts or stops anything in `home` meanwhile."""
    with plainly(home):
        home.mkdir(parents=True, exist_ok=True)
        with (home / "supervisor.lock").open("a+") as lock:
            if not _taken(lock):
                raise PlainError(f"Parity already runs from {home}; `make down` stops it.")
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def supervisor_of(home: Path) -> int | None:
    """The process that owns `home` now, if any."""
    try:
        with (home / "supervisor.lock").open("r+") as lock:
            if _taken(lock):
                return None
            lock.seek(0)
            noted = lock.read().strip()
            return int(noted) if noted.isdigit() else None
    except FileNotFoundError:
        return None


def orphans(home: Path) -> list[int]:
    """What the last supervisor noted and what still runs."""
    state = State.read(home)
    noted = {} if state is None else state.processes
    return [process.pid for name, process in noted.items() if _is_ours(process.pid, name, home)]


def end_orphans(home: Path) -> None:
    """End what a supervisor that was killed has left running; the caller owns `home`."""
    left = orphans(home)
    for kind, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, kind)
        deadline = time.monotonic() + seconds
        while left and time.monotonic() < deadline:
            left = [pid for pid in left if command_of(pid)]
            time.sleep(0.05)


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_ours(pid: int, name: str, home: Path) -> bool:
    """Whether the number still belongs to the process that was noted, and not to another since."""
    service = name.partition("-")[0]
    command = command_of(pid)
    if service not in command:
        return False
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return "services." in command
    return f"{HOME_VARIABLE}={home}\0".encode() in environment
