"""Starts everything that Parity is on one machine, keeps it running, and stops it in good order."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path
from typing import Self

import asyncpg
import httpx

from deploy.local.backends import Backends
from deploy.local.environment import Environment, without_login
from deploy.local.keys import Keys
from deploy.local.plain import PlainError, plainly
from deploy.local.process import LONGEST_DELAY, Bear, Process, executed
from deploy.local.state import Running, State, end_orphans, owned
from deploy.local.topology import ROOT, SERVICES, Part, parts, refuse_taken_ports
from libs.common import bootstrap

READY_SECONDS = 120.0
MIGRATE_SECONDS = 120.0
STOP_SECONDS = 8.0


class Supervisor:
    """All processes of one home. Used as `async with Supervisor(...)`: started at the top, stopped at the end."""

    def __init__(
        self,
        home: Path,
        *,
        log: str,
        base_port: int,
        durable: bool = True,
        database: str = "parity",
        services: Iterable[str] = SERVICES,
        workers: int = 1,
        root: Path = ROOT,
        longest_delay: float = LONGEST_DELAY,
        bear: Bear | None = None,
    ) -> None:
        self.home = home.resolve()
        self.keys: Keys
        self.environment: Environment
        self._durable = durable
        self._root = root
        self._longest_delay = longest_delay
        self._bear = partial(executed, cwd=root) if bear is None else bear
        self._database = database
        self._log = log
        services = tuple(services)
        self._parts = parts(base_port, services, workers)
        self._state = State(os.getpid(), log, base_port, services=services, workers=workers)
        self._processes: dict[str, Process] = {}
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(owned(self.home))
            stack.push_async_callback(self._note_end)
            with plainly(self.home):
                await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def processes(self) -> dict[str, Process]:
        """Every process by its name: `claims-worker`."""
        return self._processes

    async def ready(self, seconds: float = READY_SECONDS) -> None:
        """Every /readyz answers 200, or the first that does not is named with its last words."""
        deadline = time.monotonic() + seconds
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            for part in self._parts:
                while not await answers(client, part):
                    if time.monotonic() > deadline:
                        said = self._processes[part.name].last_words()
                        log = self.home / "logs" / f"{part.name}.log"
                        raise PlainError(f"{part.name} is not ready after {seconds:.0f} s; see {log}: {said[:300]}")
                    await asyncio.sleep(0.1)
        self._phase("ready")

    @contextlib.asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """No service runs inside the block; all are ready again after it, in the environment of that time."""
        await self._stop_processes()
        yield
        await self._start_processes()
        await self.ready()

    async def _start(self, stack: contextlib.AsyncExitStack) -> None:
        end_orphans(self.home)
        refuse_taken_ports(self._parts)
        self._keep_to_one_log()
        (self.home / "logs").mkdir(exist_ok=True)
        self._phase("starting the database")
        self.keys = Keys.of(self.home)
        backends = await Backends.start(self.home, self._log, durable=self._durable)
        stack.push_async_callback(backends.stop)
        self._phase("migrating")
        admin_url = await self._lay_ground(backends)
        self._state.database, self._state.kafka = without_login(admin_url), backends.kafka
        self.environment = Environment.here(
            self.home, self.keys, admin_url, log=self._log, kafka=backends.kafka, base_port=self._state.base_port
        )
        await self._migrate()
        stack.push_async_callback(self._stop_processes)
        await self._start_processes()

    async def _lay_ground(self, backends: Backends) -> str:
        """Database, roles, schemas, clock and topics exist; returns the superuser's address of the database."""
        try:
            admin_url = await bootstrap.ensure_database(backends.admin_url, self._database)
            await bootstrap.bootstrap(admin_url, self.keys.passwords())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if backends.cluster is not None:
                raise
            said = str(error).partition("\n")[0]
            raise PlainError(
                f"PARITY_DATABASE has to name a server that lets us make a database and roles: {said}"
            ) from error
        await backends.create_topics()
        return admin_url

    def _keep_to_one_log(self) -> None:
        """What one log still holds for its consumers, another would never give them."""
        note = self.home / "log"
        before = note.read_text() if note.exists() else self._log
        if before != self._log:
            raise PlainError(f"this state was made with LOG={before}; use that, or `make reset` to start anew.")
        note.write_text(self._log)

    async def _migrate(self) -> None:
        """Each service has brought its own schema to the newest version."""
        services = self._state.services
        log = self.home / "logs" / "migrate.log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "deploy.local.migrate", *services]
            process = await asyncio.create_subprocess_exec(
                *command, cwd=self._root, env=self.environment.of_migrations(services), stdout=out, stderr=out
            )
            try:
                code = await asyncio.wait_for(process.wait(), MIGRATE_SECONDS)
            except TimeoutError:
                raise PlainError(f"the migrations are not done after {MIGRATE_SECONDS:.0f} s; see {log}.") from None
            finally:
                if process.returncode is None:
                    process.kill()
        if code != 0:
            said = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise PlainError(f"the schemas could not be migrated; see {log}: {said[:300]}")

    async def _start_processes(self) -> None:
        self._phase("starting the services")
        for part in self._parts:
            await self._start_process(part)

    async def _start_process(self, part: Part) -> None:
        process = Process(
            part.name,
            _command(part.service, part.kind),
            bear=self._bear,
            env=self.environment.of(part),
            log=self.home / "logs" / f"{part.name}.log",
            changed=self._note_processes,
            longest_delay=self._longest_delay,
        )
        self._processes[part.name] = process
        await process.start()

    async def _stop_processes(self) -> None:
        self._phase("stopping")
        await asyncio.gather(*(process.stop(STOP_SECONDS) for process in self._processes.values()))

    def _phase(self, phase: str) -> None:
        self._state.phase = phase
        self._state.write(self.home)

    def _note_processes(self) -> None:
        ports = {part.name: part.port for part in self._parts}
        self._state.processes = {
            name: Running(process.pid, ports[name], process.restarts)
            for name, process in self._processes.items()
            if process.pid is not None
        }
        self._state.write(self.home)

    async def _note_end(self) -> None:
        """The last word: why it stopped, for whoever started it in the background."""
        error = sys.exception()
        self._state.processes = {}
        asked_to = error is None or isinstance(error, asyncio.CancelledError)
        self._state.message = "" if asked_to or error is None else plain_message(error)
        with contextlib.suppress(OSError):  # a full disk is said by the error itself
            self._phase("stopped" if asked_to else "failed")


def plain_message(error: BaseException) -> str:
    """What went wrong in one line."""
    return str(error) if isinstance(error, PlainError) else f"{type(error).__name__} (see the logs)"


async def answers(client: httpx.AsyncClient, part: Part) -> bool:
    """Whether a part says that it is ready."""
    try:
        return (await client.get(f"{part.url}/readyz")).status_code == 200
    except httpx.HTTPError:
        return False


def _command(service: str, what: str) -> list[str]:
    return [sys.executable, "-m", f"services.{service}", what]
