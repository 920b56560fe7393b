"""The demo's first days with every process killed once give the same figures; and every process stops when asked."""

import asyncio
import os
import signal
import time
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import postgres
from deploy.local.chaos import Killer
from deploy.local.demo import month
from deploy.local.demo.client import Client
from deploy.local.demo.figures import gather, unaccounted_cents
from deploy.local.demo.oddities import with_oddities
from deploy.local.demo.opening import open_practice
from deploy.local.demo.people import People
from deploy.local.demo.practice import build
from deploy.local.platform import Platform

pytestmark = pytest.mark.slow

SEED = 7
LAST_DAY = date(2026, 10, 8)
STOP_SECONDS = 3.0


@pytest.fixture(autouse=True)
def own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARITY_DATABASE", raising=False)


async def first_days(platform: Platform, killer: Killer | None = None) -> tuple[dict[str, Any], int]:
    """The figures of the evening of the last day, and in how many steps it came."""
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1
        if killer is not None:
            killer.step()

    async with httpx.AsyncClient(timeout=30) as http:
        client = Client(platform, http)
        practice = with_oddities(build(SEED))
        people = People(client, practice, await open_practice(client, practice))
        await month.run(client, people, step, last_day=LAST_DAY)
        if killer is not None:
            await killer.done()
        return (await gather(client, seconds=0)).kept, steps


async def test_killing_every_process_once_in_the_first_days_changes_no_figure(tmp_path: Path) -> None:
    async with Platform.running(tmp_path / "calm") as platform:
        expected, steps = await first_days(platform)
    postgres.remove(tmp_path / "calm")
    assert expected["encounters"] > 50
    assert expected["payer_paid_cents"] > 0
    assert unaccounted_cents(expected) == expected["ledger_imbalance_cents"] == 0

    async with Platform.running(tmp_path / "struck") as platform:
        killer = Killer(platform, seed=SEED, steps=steps)
        figures, _ = await first_days(platform, killer)
    postgres.remove(tmp_path / "struck")

    assert sorted(killer.killed) == sorted(part.name for part in platform.parts)
    assert figures == expected


def lives(pid: int) -> bool:
    """Whether the process has not ended, or nobody has heard of its end."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_every_process_stops_in_good_order_within_three_seconds_of_sigterm(tmp_path: Path) -> None:
    async with Platform.running(tmp_path / "home") as platform:
        late = {}
        for part in platform.parts:
            pid = platform.processes()[part.name].pid
            began = time.monotonic()
            os.kill(pid, signal.SIGTERM)
            while lives(pid):  # noqa: ASYNC110  another process says nothing
                await asyncio.sleep(0.01)
            late[part.name] = time.monotonic() - began
    postgres.remove(tmp_path / "home")

    assert {name: seconds for name, seconds in late.items() if seconds > STOP_SECONDS} == {}
