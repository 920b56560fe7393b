"""`make crash`: the demo's month with every process killed once in the middle gives the same figures to the cent."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.kafka.broker import obstacle
from deploy.local import background, postgres
from deploy.local.chaos import Killer
from deploy.local.demo import month
from deploy.local.demo.client import Client
from deploy.local.demo.figures import gather, unaccounted_cents
from deploy.local.demo.oddities import with_oddities
from deploy.local.demo.opening import open_practice
from deploy.local.demo.people import People
from deploy.local.demo.practice import build
from deploy.local.platform import Platform

pytestmark = pytest.mark.crash

LOG = os.environ.get("PARITY_LOG") or "embedded"
SEEDS = int(os.environ.get("PARITY_SEEDS") or 1)
PRACTICE_SEED = 7


@pytest.fixture(scope="module", autouse=True)
def grounds() -> Iterator[None]:
    """The log that was asked for is to be had, and each platform starts with a database of its own, empty."""
    reason = obstacle() if LOG == "kafka" else None
    if reason and os.environ.get("PARITY_REQUIRE_KAFKA"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PARITY_DATABASE", raising=False)
        yield


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    home = tmp_path / "home"
    async with Platform.running(home, log=LOG) as running:
        yield running
    postgres.remove(home)


async def a_month(platform: Platform, killer: Killer | None = None) -> tuple[dict[str, Any], int]:
    """The figures at the month's close, and in how many steps it went by."""
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1
        if killer is not None:
            killer.step()

    async with httpx.AsyncClient(timeout=30) as http:
        client = Client(platform, http)
        practice = with_oddities(build(PRACTICE_SEED))
        people = People(client, practice, await open_practice(client, practice))
        await month.run(client, people, step)
        if killer is not None:
            await killer.done()
        figures = await gather(client, seconds=0)
    return figures.kept, steps


@pytest.fixture(scope="module")
async def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    """The month in which nothing is killed."""
    home = tmp_path_factory.mktemp("calm")
    async with Platform.running(home, log=LOG) as platform:
        figures, steps = await a_month(platform)
    background.reset(home, database="parity")
    assert unaccounted_cents(figures) == figures["ledger_imbalance_cents"] == 0
    return figures, steps


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
async def test_killing_every_process_once_changes_no_figure(
    platform: Platform, calm: tuple[dict[str, Any], int], seed: int
) -> None:
    expected, steps = calm
    killer = Killer(platform, seed=seed, steps=steps)

    figures, _ = await a_month(platform, killer)

    assert sorted(killer.killed) == sorted(part.name for part in platform.parts)
    assert figures == expected
