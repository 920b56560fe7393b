"""A Kafka broker with nothing but Java 17 and Maven, which fetches the jars once per checkout."""

import base64
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.kafka.probe import wait_for
from deploy.local.plain import PlainError, plainly
from deploy.local.postmaster import HOST, command_of, free_port, is_free

HERE = Path(__file__).resolve().parent
POM = HERE / "pom.xml"
JARS = HERE / "libs"
START_SECONDS = 120.0
FETCH_SECONDS = 600.0
JAVA = 17


def why_no_java() -> str | None:
    """Why Java and Maven cannot run a broker here; None where they can."""
    if shutil.which("java") is None:
        return "there is no java"
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA:
        return f"java is older than {JAVA}"
    if not _have_jars() and shutil.which("mvn") is None:
        return "there is no mvn to fetch Kafka with"
    return None


@dataclass(slots=True)
class JvmBroker:
    """A broker and controller in one Java process, its data and its notes under `home`."""

    home: Path
    port: int
    controller_port: int
    cluster_id: str
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @classmethod
    def start(cls, home: Path) -> "JvmBroker":
        """A broker that answers; an earlier one that was left over under `home` is ended first."""
        home = home.resolve() / "kafka"
        with plainly(home):
            home.mkdir(parents=True, exist_ok=True)
        fetch_jars()
        known = _read(home / "kafka.json")
        _end_leftover(home, known)
        broker = cls(
            home,
            int(known.get("port") or free_port()),
            int(known.get("controller_port") or free_port()),
            str(known.get("cluster_id") or _new_cluster_id()),
        )
        if not (is_free(broker.port) and is_free(broker.controller_port)):
            broker.port, broker.controller_port = free_port(), free_port()
        broker._format()
        broker._run()
        return broker

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The broker's process, if it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def stop(self) -> None:
        """The broker has ended in good order, or by force after a while."""
        if self._process is None:
            return
        for kind, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
            self._process.send_signal(kind)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
                break
        self._process = None

    def kill(self) -> None:
        """The broker is gone at once, as after a power cut; its data stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """The broker answers again at the same address, with its data."""
        self.stop()
        self._run()

    @property
    def _settings(self) -> Path:
        return self.home / "server.properties"

    def _format(self) -> None:
        """The data folder carries the cluster's id; one that does already is left as it is."""
        text = (HERE / "server.properties").read_text()
        for name, value in (("port", self.port), ("controller_port", self.controller_port), ("data", self._data)):
            text = text.replace(f"{{{name}}}", str(value))
        with plainly(self.home):
            self._settings.write_text(text)
        arguments = ["format", "--ignore-formatted", f"--cluster-id={self.cluster_id}", "-c", str(self._settings)]
        done = subprocess.run(
            [*self._java("kafka.tools.StorageTool", memory=128), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PlainError(f"Kafka cannot use {self._data}: {_last_line(done.stderr or done.stdout)}")

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def _run(self) -> None:
        log = self.home / "kafka.log"
        with plainly(self.home), log.open("ab") as out:
            self._process = subprocess.Popen(
                [*self._java("kafka.Kafka", memory=384), str(self._settings)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._note()
        if not wait_for(HOST, self.port, seconds=START_SECONDS, alive=lambda: self.pid is not None):
            self.stop()
            raise PlainError(f"Kafka does not start: {_last_line(log.read_text(errors='replace'))}")

    def _java(self, name: str, *, memory: int) -> list[str]:
        quick = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
        says = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        return ["java", f"-Xmx{memory}m", *quick, *says, "-cp", f"{JARS}/*", name]

    def _note(self) -> None:
        note = {"port": self.port, "controller_port": self.controller_port, "cluster_id": self.cluster_id}
        (self.home / "kafka.json").write_text(json.dumps(note | {"pid": self.pid}))


def fetch_jars() -> None:
    """The jars of pom.xml lie under deploy/kafka/libs, all of them: fetched beside their place, moved in when done."""
    if _have_jars():
        return
    target = HERE / "target"
    with plainly(target):
        target.mkdir(exist_ok=True)
    with _one_at_a_time(target / "fetch.lock"):
        if _have_jars():
            return
        half = target / "libs"
        shutil.rmtree(half, ignore_errors=True)
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={half}"]
        command = ["mvn", "-q", "-B", "-f", str(POM), *goal]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS)
        if done.returncode != 0:
            raise PlainError(f"Maven cannot fetch Kafka: {_last_line(done.stdout or done.stderr)}")
        shutil.copy(POM, half)
        shutil.rmtree(JARS, ignore_errors=True)
        half.rename(JARS)


def _have_jars() -> bool:
    """Whether they were fetched for the pom.xml that is here now."""
    fetched_for = JARS / POM.name
    return fetched_for.is_file() and fetched_for.read_bytes() == POM.read_bytes()


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with plainly(path), path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _new_cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


def end_leftover(home: Path) -> None:
    """No broker runs under `home` that outlived the process that started it."""
    _end_leftover(home.resolve() / "kafka", _read(home / "kafka" / "kafka.json"))


def _end_leftover(home: Path, known: dict[str, Any]) -> None:
    """End a broker that outlived the process that started it."""
    pid = known.get("pid")
    if isinstance(pid, int) and str(home / "server.properties") in command_of(pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while command_of(pid) and time.monotonic() < deadline:
            time.sleep(0.05)  # until it has let go of its data


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "Exception" in line]
    return (errors or lines or ["it said nothing"])[-1][:300]
