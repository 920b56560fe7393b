"""The killer kills everybody, when its seed says so."""

import asyncio
from pathlib import Path

import pytest

from deploy.local.chaos import Killer, plan
from deploy.local.platform import Platform
from deploy.local.postgres import remove


def test_the_same_seed_kills_the_same_processes_at_the_same_moments() -> None:
    names = [f"process-{n}" for n in range(12)]
    assert plan(7, names, 50) == plan(7, names, 50) != plan(8, names, 50)
    assert sorted(name for deaths in plan(7, names, 50).values() for name, _ in deaths) == sorted(names)


@pytest.mark.slow
async def test_every_process_is_killed_once_and_comes_back(tmp_path: Path, root: Path) -> None:
    home = tmp_path / "home"
    async with Platform.running(home, services=("claims", "eligibility"), root=root) as platform:
        killer = Killer(platform, seed=3, steps=4)
        for _ in range(4):
            killer.step()
            await asyncio.sleep(0.2)
        await killer.done()
        assert sorted(killer.killed) == sorted(platform.processes())
        assert {process.restarts for process in platform.processes().values()} == {1}
    remove(home)
