"""The storm: processes are killed and stopped, connections cut; who and when is a function of the seed."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import orjson

from deploy.local.environment import Environment
from deploy.local.plain import PlainError
from deploy.local.platform import Platform
from deploy.local.topology import ROOT, SERVICES, WORKER_OFFSET, Part, free_base
from libs.common.relay import STUCK_SECONDS
from tests.promises.load import SESSIONS, Load

PATIENCE_SECONDS = 120.0
SERVICE = "claims"
"""The service that has a second worker, and whose leader is stopped."""


@dataclass(slots=True, eq=False)
class Storm:
    """Strikes a platform under load."""

    platform: Platform
    load: Load
    admin: asyncpg.Connection
    standby: "Standby"
    chance: random.Random
    killed: list[tuple[str, int, int]] = field(default_factory=list)
    """Who was killed, how many sessions were still to be told, and how much was under way."""
    cut: int = 0
    brokers: int = 0
    """How often the log's broker was killed; it has none where it is Postgres, or is somebody's."""
    taken_over_after: float = 0.0

    async def rage(self) -> None:
        """Every process is killed once while sessions come in; connections are cut, and a leader is stopped."""
        victims = [part.name for part in self.platform.parts]
        self.chance.shuffle(victims)
        for number, name in enumerate(victims, 1):
            await self.load.until_told(number * SESSIONS * 3 // (5 * len(victims)))
            if number % 4 == 2:
                self.cut += int(await self.admin.fetchval(_CUT, f"{self.chance.choice(SERVICES)}\\_%"))
            if number == len(victims) // 2:
                self.brokers += self._kill_the_broker()
            await self.kill(name)
        await self.platform.ready()
        await self._stop_the_leader()

    async def strike(self, clock: str) -> None:
        """The clock has just been moved: one of those who now have work is killed."""
        at_work = {"18:00": "claims", "20:00": "claims", "22:00": "sandbox", "23:00": "sandbox", "06:00": "remittance"}
        victims = [f"{at_work[clock]}-worker", f"{at_work[clock]}-worker", "reporting-worker", "sandbox-api"]
        await self.kill(self.chance.choice(victims))

    async def kill(self, name: str) -> None:
        """It is gone at once; if it is not back yet from an earlier kill, as soon as it is."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            under_way, still_to_tell = await self.load.unfinished(), SESSIONS - self.load.told
            try:
                self.platform.kill(name)
            except (PlainError, ProcessLookupError):
                assert time.monotonic() < until, f"{name} did not come back"
                await asyncio.sleep(0.05)
            else:
                self.killed.append((name, still_to_tell, under_way))
                return

    def under_load(self) -> list[str]:
        """Who was killed while sessions came in."""
        return [name for name, still_to_tell, _ in self.killed if still_to_tell]

    def in_flight(self) -> list[str]:
        """Who was killed while anything was under way."""
        return [name for name, _, under_way in self.killed if under_way]

    def told(self) -> str:
        """What it did, in words."""
        return (
            f"{self.load.told} sessions; {len(self.killed)} kills, {len(self.under_load())} of them while sessions "
            f"came in, {len(self.in_flight())} with work under way; a leader that stood still was replaced after "
            f"{self.taken_over_after:.1f} s; {self.cut} connections cut; {self.brokers} brokers killed; "
            f"{absorbed(self.platform.home)} records came again and were absorbed"
        )

    def _kill_the_broker(self) -> int:
        """The broker, if it is a process of ours, is gone at once; its keeper starts it again with its data."""
        note = self.platform.home / "kafka" / "kafka.json"
        if not note.is_file():
            return 0
        os.kill(orjson.loads(note.read_bytes())["pid"], signal.SIGKILL)
        return 1

    async def _stop_the_leader(self) -> None:
        """The leader of the relay stops (SIGSTOP) with rows in its outbox; the other worker takes over."""
        leads, pid, other = await self._leader()
        began = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        try:
            while _last_led(other) <= _last_led(leads):
                assert time.monotonic() - began < PATIENCE_SECONDS, "nobody takes over from a leader that stands still"
                await asyncio.sleep(0.1)
            self.taken_over_after = time.monotonic() - began
            await asyncio.sleep(max(0.0, STUCK_SECONDS + 1 - self.taken_over_after))
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _leader(self) -> tuple[Path, int, Path]:
        """The log and the process of the worker that leads, and the log of the one that stands by."""
        first = self.platform.home / "logs" / f"{SERVICE}-worker.log"
        running = self.platform.processes()[f"{SERVICE}-worker"]
        if _last_led(first) > _last_led(self.standby.log):
            return first, running.pid, self.standby.log
        return self.standby.log, self.standby.pid, first


@dataclass(frozen=True, slots=True)
class Standby:
    """A second worker of a service, that shares its partitions and stands by for its relay."""

    pid: int
    log: Path

    @classmethod
    @asynccontextmanager
    async def running(cls, platform: Platform) -> AsyncIterator["Standby"]:
        """It runs inside the block, and ends in good order after it."""
        base = free_base()
        environment = Environment.of_running(platform.home).of(Part(SERVICE, "worker", base + WORKER_OFFSET))
        log = platform.home / "logs" / f"{SERVICE}-standby.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"services.{SERVICE}", "worker"),
                cwd=ROOT,
                env=environment | {f"{SERVICE.upper()}_PORT": str(base)},
                stdout=out,
                stderr=out,
            )
        try:
            yield cls(process.pid, log)
        finally:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
            finally:
                if process.returncode is None:
                    process.kill()


def _last_led(log: Path) -> str:
    """When the worker with this log last became leader; empty where it never did."""
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines() if b'"relay_leads"' in line]
    return str(lines[-1]["time"]) if lines else ""


def absorbed(home: Path) -> int:
    """How many records came again and had no second effect, as the workers' logs say."""
    found = 0
    for log in (home / "logs").glob("*.log"):
        lines = [line for line in log.read_bytes().splitlines() if b'"already_known"' in line]
        found += sum(orjson.loads(line)["count"] for line in lines)
    return found


_CUT = "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename like $1"
