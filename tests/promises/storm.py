"""The storm: processes are killed and stopped, connections cut; who and when is a function of the seed."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from deploy.local.environment import Environment
from deploy.local.plain import PlainError
from deploy.local.process import Bear
from deploy.local.topology import SERVICES, WORKER_OFFSET, Part, free_base
from libs.common.relay import STUCK_SECONDS
from tests.promises import points
from tests.promises.load import SESSIONS, Load
from tests.promises.ring import Ring

PATIENCE_SECONDS = 120.0
SERVICE = "eligibility"
"""The service that has a second worker for a while, and whose leader is stopped."""


@dataclass(slots=True, eq=False)
class Storm:
    """Strikes a platform under load."""

    ring: Ring
    load: Load
    chance: random.Random
    killed: list[tuple[str, int, int]] = field(default_factory=list)
    """Who was killed, how many sessions were still to be told, and how much was under way."""
    moved: int = 0
    """How often the clock was moved."""
    cut: int = 0
    brokers: int = 0
    """How often the log's server was killed."""
    taken_over_after: float = 0.0

    async def rage(self) -> None:
        """While sessions come in a leader is stopped, every process is killed once, and the log's server, too.

        Once the leader is back every named point is armed, and poison is told.
        """
        first, second = self._victims()
        ring = self.ring
        nowhere = {"PARITY_CRASH": str(ring.notes / "nobody")}
        beside = Standby.running(ring.platform.home, ring.nursery.spawn, **nowhere)
        async with beside as standby, asyncio.TaskGroup() as both:
            await self.load.until_told(1)
            both.create_task(self._stop_the_leader(standby))
            both.create_task(self._kill_all(first, of=(0.05, 0.3)))
        points.arm(self.ring.notes, self.chance)
        await points.poison(self.ring.platform)
        await self._kill_the_broker()
        await self._kill_all(second, of=(0.35, 0.75))
        await self.load.let_go()

    def _victims(self) -> tuple[list[str], list[str]]:
        """Everybody, those first who do not share work with the leader that is stopped."""
        names = [part.name for part in self.ring.platform.parts]
        self.chance.shuffle(names)
        first = [name for name in names if not name.startswith(SERVICE)][:4]
        return first, [name for name in names if name not in first]

    async def _kill_all(self, victims: list[str], *, of: tuple[float, float]) -> None:
        """One after another, as sessions are told; sometimes connections are cut before."""
        for number, name in enumerate(victims, 1):
            await self.load.until_told(int(SESSIONS * (of[0] + (of[1] - of[0]) * number / len(victims))))
            if number % 3 == 2:
                self.cut += int(await self.load.value(_CUT, f"{self.chance.choice(SERVICES)}\\_%"))
            await self.kill(name)

    async def strike(self, clock: str) -> None:
        """The clock has just been moved: every other time one of those who now have work is killed."""
        self.moved += 1
        if self.moved % 2 == 0:
            return
        at_work = {"18:00": "claims", "20:00": "claims", "22:00": "sandbox", "23:00": "sandbox", "06:00": "remittance"}
        victims = [f"{at_work[clock]}-worker", f"{at_work[clock]}-worker", "reporting-worker", "sandbox-api"]
        await self.kill(self.chance.choice(victims))

    async def kill(self, name: str) -> None:
        """It is gone at once; if it is not back yet from an earlier kill, as soon as it is."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            under_way, still_to_tell = await self.load.unfinished(), SESSIONS - self.load.told
            try:
                self.ring.platform.kill(name)
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

    async def _kill_the_broker(self) -> None:
        await self.ring.kill_the_broker()
        self.brokers += 1

    async def _stop_the_leader(self, standby: "Standby") -> None:
        """The leader of the relay stops (SIGSTOP) with rows in its outbox; the other worker takes over."""
        leads, pid, other = await self._leader(standby)
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

    async def _leader(self, standby: "Standby") -> tuple[Path, int, Path]:
        """The log and the process of the worker that leads, and the log of the one that stands by."""
        platform = self.ring.platform
        first = platform.home / "logs" / f"{SERVICE}-worker.log"
        running = platform.processes()[f"{SERVICE}-worker"]
        if _last_led(first) > _last_led(standby.log):
            return first, running.pid, standby.log
        return standby.log, standby.pid, first


@dataclass(frozen=True, slots=True)
class Standby:
    """A second worker of a service, that shares its partitions and stands by for its relay."""

    pid: int
    log: Path

    @classmethod
    @asynccontextmanager
    async def running(cls, home: Path, bear: Bear, **also: str) -> AsyncIterator["Standby"]:
        """It runs inside the block, and ends in good order after it."""
        base = free_base()
        environment = Environment.of_running(home).of(Part(SERVICE, "worker", base + WORKER_OFFSET))
        environment |= {f"{SERVICE.upper()}_PORT": str(base), **also}
        log = home / "logs" / f"{SERVICE}-standby.log"
        process = await bear([sys.executable, "-m", f"services.{SERVICE}", "worker"], environment, log)
        try:
            yield cls(process.pid, log)
        finally:
            with suppress(ProcessLookupError):  # where it was killed
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
            finally:
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
