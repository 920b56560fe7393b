"""Parity as its users meet it: addresses, tokens, and processes that can be killed. For the demo and for tests.

async with Platform.running(home, log="embedded") as platform:
    await client.get(f"{platform.urls['claims']}/v1/claims", headers=platform.headers())
    platform.kill("claims-worker")
    await platform.ready()
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.keys import ALL_SCOPES, DEMO_TENANT, Keys
from deploy.local.plain import PlainError
from deploy.local.process import LONGEST_DELAY, Bear
from deploy.local.state import Running, State
from deploy.local.supervisor import READY_SECONDS, Supervisor, answers
from deploy.local.topology import ROOT, SERVICES, Part, free_base, parts


@dataclass(frozen=True, slots=True)
class Platform:
    """A running platform, whoever supervises it."""

    home: Path
    base_port: int
    services: tuple[str, ...]
    keys: Keys
    workers: int = 1

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls,
        home: Path,
        *,
        log: str = "embedded",
        base_port: int | None = None,
        services: Iterable[str] = SERVICES,
        workers: int = 1,
        durable: bool = False,
        root: Path = ROOT,
        longest_delay: float = LONGEST_DELAY,
        bear: Bear | None = None,
    ) -> AsyncIterator["Platform"]:
        """Everything runs and is ready inside the block, supervised by this process; free ports unless told.

        What dies is started again after `longest_delay` seconds at most. `bear` starts processes, by itself each anew.
        """
        base = free_base(workers) if base_port is None else base_port
        async with Supervisor(
            home,
            log=log,
            base_port=base,
            durable=durable,
            services=services,
            workers=workers,
            root=root,
            longest_delay=longest_delay,
            bear=bear,
        ) as supervisor:
            await supervisor.ready()
            yield cls.attached(home)

    @classmethod
    def attached(cls, home: Path) -> "Platform":
        """The platform that another process supervises from `home`."""
        home = home.resolve()
        state = State.read(home)
        if state is None:
            raise PlainError(f"nothing runs from {home}; `make up` starts it.")
        return cls(home, state.base_port, state.services, Keys(home / "secrets"), state.workers)

    @property
    def urls(self) -> dict[str, str]:
        """The base address of each service's API."""
        return {part.service: part.url for part in self.parts if part.kind == "api"}

    @property
    def worker_urls(self) -> dict[str, str]:
        """Where the first worker of each service answers /flow, which speaks for all of them, /readyz, /metrics."""
        return {part.service: part.url for part in self.parts if part.kind == "worker" and part.number == 1}

    @property
    def parts(self) -> list[Part]:
        """Every process that belongs to the platform."""
        return parts(self.base_port, self.services, self.workers)

    def token(
        self,
        *,
        tenant_id: str = DEMO_TENANT,
        scopes: Iterable[str] = ALL_SCOPES,
        practice_ids: Iterable[str] | None = None,
    ) -> str:
        """A bearer token of the local issuer."""
        return self.keys.token(tenant_id=tenant_id, scopes=scopes, practice_ids=practice_ids)

    def headers(self, *, tenant_id: str = DEMO_TENANT) -> dict[str, str]:
        """The Authorization header of somebody who may do everything for a tenant."""
        return {"Authorization": f"Bearer {self.token(tenant_id=tenant_id)}"}

    def processes(self) -> dict[str, Running]:
        """Every process that runs now, by its name: `claims-worker`."""
        state = State.read(self.home)
        return {} if state is None else state.processes

    def kill(self, name: str) -> int:
        """The process is gone at once (kill -9); the supervisor will start it again. Returns its old number."""
        process = self.processes().get(name)
        if process is None:
            raise PlainError(f"{name} does not run; running: {', '.join(sorted(self.processes()))}.")
        os.kill(process.pid, signal.SIGKILL)
        return process.pid

    async def ready(self, seconds: float = READY_SECONDS) -> None:
        """Every process answers that it is ready."""
        deadline = time.monotonic() + seconds
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            for part in self.parts:
                while not await answers(client, part):
                    if time.monotonic() > deadline:
                        raise PlainError(f"{part.name} is not ready after {seconds:.0f} s; see {self.home / 'logs'}.")
                    await asyncio.sleep(0.05)
