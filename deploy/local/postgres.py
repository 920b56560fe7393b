"""A PostgreSQL server of our own: programs from a wheel, started, stopped and killed from Python.

A start heals what an earlier one left behind: a server without a parent is stopped, a half-made data
folder is made anew, a port that was taken meanwhile is replaced. The server's log never holds the text,
the parameters or the row of a statement, since those are patients.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from deploy.local.plain import PlainError, plainly
from deploy.local.postmaster import HOST, answers, children_of, free_port, is_free, living
from deploy.local.unprivileged import Identity, Runner, abandoned, forget_home, home_for, programs, runner

START_SECONDS = 60.0
SOCKET_PATH_LIMIT = 90  # 103 bytes on macOS, less the file's own name

SETTINGS = {
    "max_connections": "300",
    "shared_buffers": "96MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors hold values in their text, their detail and their statement: the services name the SQLSTATE instead.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Spawn(Identity):
    """How a program of Postgres is started: as its user, in a folder and an environment of its own."""

    cwd: str
    env: dict[str, str]


@dataclass(slots=True)
class Cluster:
    """A running PostgreSQL server with its data under `home`."""

    home: Path
    durable: bool
    port: int
    password: str
    data: Path
    _who: Runner
    _programs: Path
    _lock: IO[str]
    _server: subprocess.Popen[bytes] | None = field(default=None)

    @classmethod
    def start(cls, home: Path, *, durable: bool) -> Self:
        """A server that answers; made if it was not there, healed if a start was cut short."""
        home = home.resolve()
        who = runner()
        with plainly(home):
            (home / "logs").mkdir(parents=True, exist_ok=True)
            lock = _locked(home / "postgres.lock")
            try:
                _sweep()
                bins = programs(who)
                place = home_for(home, who)
                known = _read_state(home)
                if "password" not in known and not place.is_relative_to(home):
                    shutil.rmtree(place / "data", ignore_errors=True)  # its .parity was removed by hand
                password = str(known.get("password") or secrets.token_urlsafe(24))
                port = int(known.get("port") or free_port())
                cluster = cls(home, durable, port, password, place / "data", who, bins, lock)
                cluster._write_state()
                _end_orphan(cluster.data)
                cluster._initialise()
                cluster._run()
            except BaseException:
                lock.close()
                raise
        return cluster

    @property
    def admin_url(self) -> str:
        """The superuser's address of the server."""
        return f"postgresql://postgres:{self.password}@{HOST}:{self.port}/postgres"

    @property
    def pid(self) -> int | None:
        """The server's process, if it runs."""
        return self._server.pid if self._server and self._server.poll() is None else None

    def stop(self) -> None:
        """The server has ended in good order, and the home is free for the next start."""
        if self._server is not None:
            _end(self._server)
            self._server = None
        self._lock.close()

    def kill(self) -> None:
        """The server and all its children are gone at once, as after a power cut."""
        if self._server is None:
            return
        children = children_of(self._server.pid)
        self._server.kill()
        self._server.wait()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._server = None

    def restart(self) -> None:
        """The server runs again at the same address, after `kill` or in its place."""
        if self._server is not None:
            _end(self._server)
            self._server = None
        self._run(keep_port=True)

    def _write_state(self) -> None:
        state = {"port": self.port, "password": self.password, "data": str(self.data), "durable": self.durable}
        fresh = self.home / "postgres.json.new"
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(state))
        fresh.replace(self.home / "postgres.json")

    def _initialise(self) -> None:
        """The data folder exists, whole: it is made beside its place and moved in when done."""
        half = self.data.with_name("data.half")
        shutil.rmtree(half, ignore_errors=True)
        if (self.data / "PG_VERSION").is_file():
            self._check_version()
            return
        shutil.rmtree(self.data, ignore_errors=True)
        secret = self.data.with_name("password")
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        self._who.own(secret)
        try:
            command = [
                str(self._programs / "initdb"),
                "-D",
                str(half),
                "-U",
                "postgres",
                f"--pwfile={secret}",
                "--no-sync",
            ]
            command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
            done = subprocess.run(command, capture_output=True, text=True, check=False, **self._spawn())
        finally:
            secret.unlink()
        if done.returncode != 0:
            raise _refusal("initdb", done.stderr, self.data)
        half.rename(self.data)

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        answer = subprocess.run(
            [str(self._programs / "postgres"), "-V"], capture_output=True, text=True, check=True, **self._spawn()
        )
        ours = answer.stdout.split()[2].split(".")[0]
        if made_by != ours:
            raise PlainError(
                f"the data in {self.data} is of PostgreSQL {made_by}, this is {ours}; `make reset` starts anew."
            )

    def _run(self, *, keep_port: bool = False) -> None:
        """Start the server; another port if ours was taken, another try while the killed one's children linger."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            if not keep_port and not is_free(self.port):
                self.port = free_port()
            log = self.home / "logs" / "postgres.log"
            with log.open("ab") as out:
                said_before = out.tell()
                arguments = [str(self._programs / "postgres"), "-D", str(self.data), *self._options()]
                self._server = subprocess.Popen(
                    arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, **self._spawn()
                )
            if answers(self.port, self.data, self._server, deadline):
                self._write_state()
                return
            if self._server.poll() is None:
                _end(self._server)
            self._server = None
            said = log.read_bytes()[said_before:].decode(errors="replace")
            taken = "could not bind" in said or "Address already in use" in said
            lingering = "shared memory block" in said or "postmaster.pid" in said
            if time.monotonic() > deadline or not (lingering or (taken and not keep_port)):
                raise _refusal("Postgres", said, self.data)
            time.sleep(0.2)

    def _options(self) -> Iterator[str]:
        socket_home = str(self.data.parent) if len(str(self.data.parent)) < SOCKET_PATH_LIMIT else ""
        own = {"listen_addresses": HOST, "port": str(self.port), "unix_socket_directories": socket_home}
        for name, value in (SETTINGS | own | ({} if self.durable else NOT_DURABLE)).items():
            yield "-c"
            yield f"{name}={value}"

    def _spawn(self) -> Spawn:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment |= {"LC_ALL": "C", "HOME": str(self.data.parent)}
        return Spawn(cwd=str(self.data.parent), env=environment, **self._who.identity())


def _end_orphan(data: Path) -> None:
    """End a server that outlived the process that started it; the caller knows that nobody needs it."""
    pid = living(data)
    if pid is None:
        return
    for kind in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, kind)
        if _within(10, lambda: living(data) is None):
            return
    raise PlainError(f"an earlier Postgres (process {pid}) does not stop; end it and try again.")


def _sweep() -> None:
    """End and remove what homes that no longer exist have left elsewhere."""
    for place in abandoned():
        _end_orphan(place / "postgres" / "data")
        shutil.rmtree(place, ignore_errors=True)


def address_of(home: Path) -> str:
    """The superuser's address of the server that runs from `home`."""
    known = _read_state(home.resolve())
    if "password" not in known:
        raise PlainError("nothing runs here; `make up` starts the services.")
    return f"postgresql://postgres:{known['password']}@{HOST}:{known['port']}/postgres"


def remove(home: Path) -> None:
    """No trace of the server under `home`, nor of what it needed elsewhere."""
    home = home.resolve()
    with plainly(home):
        with _locked(home / "postgres.lock"):
            for name in ("postgres", "postgres.json"):
                path = home / name
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            forget_home(home)
        (home / "postgres.lock").unlink(missing_ok=True)


def _locked(path: Path) -> IO[str]:
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise PlainError(f"Parity already runs from {path.parent}; `make down` stops it.") from None
    return lock


def _read_state(home: Path) -> dict[str, Any]:
    """What the last start noted; nothing if it was cut short before it could."""
    try:
        found = json.loads((home / "postgres.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _end(server: subprocess.Popen[bytes]) -> None:
    """Stop in good order, then at once, then by force."""
    for kind, seconds in ((signal.SIGINT, 15), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        server.send_signal(kind)
        with suppress(subprocess.TimeoutExpired):
            server.wait(seconds)
            return


def _within(seconds: float, done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _refusal(who: str, said: str, data: Path) -> PlainError:
    """The one line that an operator needs from what a program said."""
    if "No space left on device" in said:
        return PlainError("the disk is full; free some space and try again.")
    if "Permission denied" in said:
        return PlainError(f"{who} may not use {data.parent}; correct its owner, or `make reset`.")
    lines = [
        line for line in said.splitlines() if any(word in line for word in ("FATAL", "PANIC", "error", "could not"))
    ]
    last = (lines or said.splitlines() or ["it said nothing"])[-1].strip()
    return PlainError(f"{who} does not start: {last}")
