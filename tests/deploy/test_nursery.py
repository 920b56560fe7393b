"""Forked processes are processes as any other: an environment and a log of their own, an end that is seen."""

import os
import sys
from pathlib import Path

from deploy.local.nursery import Nursery
from deploy.local.postmaster import PROC

COMMAND = [sys.executable, "-m", "services.claims", "parked", "list"]
ENV = {"PATH": os.environ["PATH"], "PARITY_MODE": "local"}


async def test_a_child_runs_the_command_in_its_own_environment_and_its_code_is_told(tmp_path: Path) -> None:
    async with Nursery.running() as nursery:
        child = await nursery.spawn(COMMAND, ENV, tmp_path / "log")
        assert await child.wait() == 2

        said = (tmp_path / "log").read_text()
        assert said == "CLAIMS_DATABASE_API is not set: see docs/operate.md\n"
        again = await nursery.spawn([*COMMAND[:3], "nonsense"], ENV, tmp_path / "log")
        assert await again.wait() == 2
        assert "invalid choice: 'nonsense'" in (tmp_path / "log").read_text()


async def test_a_child_that_is_killed_leaves_its_sibling_alone_and_the_last_ones_end_with_the_nursery(
    tmp_path: Path,
) -> None:
    databases = {f"CLAIMS_DATABASE_{role}": "postgresql://claims@127.0.0.1:1/none" for role in ("API", "WORKER")}
    files = {name: str(tmp_path / name) for name in ("PARITY_KEYRING", "PARITY_CURSOR_KEY", "PARITY_JWKS")}
    waits = ENV | databases | files | {"PARITY_ISSUER": "https://parity.local", "PARITY_AUDIENCE": "parity"}
    os.mkfifo(tmp_path / "PARITY_KEYRING")  # whoever reads its keys waits here
    async with Nursery.running() as nursery:
        one, other = [await nursery.spawn([*COMMAND[:3], "worker"], waits, tmp_path / "log") for _ in range(2)]
        one.kill()
        assert await one.wait() == -9
        assert other.returncode is None
        assert os.getsid(other.pid) == other.pid
    assert await other.wait() == -9
    assert not (PROC / str(other.pid)).exists()
