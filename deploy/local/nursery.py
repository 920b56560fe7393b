"""Processes that are born with the libraries loaded: forks of one process that has loaded them and does nothing else.

Where processes are killed by the dozen, starting each anew is most of the work. What is forked runs the same `main`
with an environment of its own. When the nursery's input ends, with us or before, its children are killed.
"""

import asyncio
import gc
import importlib
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.topology import ROOT, SERVICES


@dataclass(slots=True, eq=False)
class Child:
    """One process of the nursery, as `asyncio.subprocess.Process` is one of ours."""

    pid: int
    returncode: int | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> int:
        """Its code, once it has ended."""
        await self._ended.wait()
        assert self.returncode is not None, "it has ended"
        return self.returncode

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def ended(self, code: int) -> None:
        """The nursery has seen it end."""
        self.returncode = code
        self._ended.set()

    def _send(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@dataclass(slots=True, eq=False)
class Nursery:
    """The process that has the libraries loaded, and what it was asked for."""

    _process: asyncio.subprocess.Process
    _asked: dict[int, asyncio.Future[Child]] = field(default_factory=dict)
    _children: dict[int, Child] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["Nursery"]:
        """Children are born inside the block; none is left after it."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.local.nursery"), cwd=ROOT, stdin=pipe, stdout=pipe, start_new_session=True
        )
        nursery = cls(process)
        hearing = asyncio.create_task(nursery._hear(), name="hear the nursery")
        try:
            yield nursery
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()
            await hearing

    async def spawn(self, command: Sequence[str], env: Mapping[str, str], log: Path) -> Child:
        """`python -m services.X COMMAND` runs in a session of its own, and writes to `log`."""
        number = len(self._asked)
        self._asked[number] = asyncio.get_running_loop().create_future()
        asked = {"number": number, "command": list(command), "env": dict(env), "log": str(log)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        return await self._asked[number]

    async def _hear(self) -> None:
        """What the nursery says has been noted, until it says no more."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "number" in said:
                child = self._children[said["pid"]] = Child(said["pid"])
                self._asked[said["number"]].set_result(child)
            else:
                self._children.pop(said["pid"]).ended(said["code"])
        for child in self._children.values():
            child.ended(-signal.SIGKILL)


def main() -> None:
    """Fork what is asked for, and say who has ended, until nobody asks any more."""
    for service in SERVICES:
        importlib.import_module(f"services.{service}.app")
    importlib.import_module("libs.common.runtime")
    gc.freeze()
    asking = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115  unbuffered, so that select sees what is left
    children: set[int] = set()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _bury(children)
        if 0 in ready:
            line = asking.readline()
            if not line:
                break
            asked = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _live(asked, (woken, wake))
            children.add(pid)
            _say({"number": asked["number"], "pid": pid})
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    for pid in children:
        os.waitpid(pid, 0)


def _bury(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        _say({"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _live(asked: dict[str, Any], pipes: tuple[int, ...]) -> None:
    """The life of a child, to its end."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    for number in (nothing, log, *pipes):
        os.close(number)
    os.environ.clear()
    os.environ.update(asked["env"])
    _python, _flag, module, *arguments = asked["command"]
    code: Any = 1
    try:
        runtime = importlib.import_module("libs.common.runtime")
        runtime.main(importlib.import_module(f"{module}.app").create_service(), arguments)
        code = 0
    except SystemExit as left:
        code = left.code
    except BaseException:  # noqa: BLE001  the last word of the child, as Python's own would be
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
