"""One process that is kept running: what dies is started again, later and later if it keeps dying."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from deploy.local.plain import plainly

FIRST_DELAY = 0.1
LONGEST_DELAY = 10.0
STEADY_SECONDS = 30.0
LOG_LIMIT = 10_000_000
OUR_MARK = "supervisor:"


class Born(Protocol):
    """A process that runs, and whose end will be seen."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


Bear = Callable[[Sequence[str], Mapping[str, str], Path], Awaitable[Born]]
"""Starts a command in an environment; it writes to a log."""


async def executed(command: Sequence[str], env: Mapping[str, str], log: Path, *, cwd: Path) -> Born:
    """The command runs in a session of its own, and writes to `log`."""
    with plainly(log), log.open("ab") as out:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


class Process:
    """A command that runs until it is told to stop."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        bear: Bear,
        env: Mapping[str, str],
        log: Path,
        changed: Callable[[], None],
        longest_delay: float = LONGEST_DELAY,
    ) -> None:
        self.name = name
        self.restarts = 0
        self._command = command
        self._bear = bear
        self._env = dict(env)
        self._log = log
        self._changed = changed
        self._longest_delay = longest_delay
        self._process: Born | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the running process, if it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """The command runs, and will be started again whenever it ends."""
        _turn_over(self._log)
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def stop(self, seconds: float) -> None:
        """The command has ended by itself within `seconds`, or by force."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def last_words(self) -> str:
        """The last line that it wrote to its log, before or after it was started again."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.is_file() else []
        return next((line.strip() for line in reversed(lines) if line.strip() and OUR_MARK not in line), "")

    async def _spawn(self) -> None:
        self._process = await self._bear(self._command, self._env, self._log)
        self._changed()

    async def _keep(self) -> None:
        delay = FIRST_DELAY
        while True:
            assert self._process is not None, "a process is started before it is kept"
            began = time.monotonic()
            code = await self._process.wait()
            if time.monotonic() - began > STEADY_SECONDS:
                delay = FIRST_DELAY
            self._say(f"{self.name} ended with {code}; starting again in {delay:.1f} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, self._longest_delay)
            self.restarts += 1
            await self._spawn()

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError), self._log.open("a") as out:  # a full disk must not stop the keeper
            out.write(f"{time.strftime('%FT%TZ', time.gmtime())} {OUR_MARK} {line}\n")


def _turn_over(log: Path) -> None:
    """Keep one older log, so that logs do not fill the disk."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.is_file() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
