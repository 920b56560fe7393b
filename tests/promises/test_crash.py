"""`make crash`, `make chaos`: processes die in the middle of the flow, and nothing is lost, nothing comes twice."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.kafka.broker import obstacle
from deploy.local import background
from deploy.local.demo.client import Refused
from deploy.local.plain import PlainError
from deploy.local.platform import Platform
from deploy.local.postgres import Cluster, remove
from libs.common.mutants import MUTANTS
from tests.platform import Scenario
from tests.promises import points
from tests.promises.load import SESSIONS, Load, broken_promises, figures
from tests.promises.storm import Standby, Storm, absorbed

pytestmark = pytest.mark.crash

PACE_SECONDS = 0.2
MUTANT_SECONDS = 150
"""A broken design may lose what the flow waits for; a week takes half of this."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """A log that is to be had, and a database server that every platform here begins on anew."""

    log: str
    admin_url: str


@pytest.fixture(scope="module")
def grounds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    log = request.config.getoption("log")
    reason = obstacle() if log == "kafka" else None
    if reason and request.config.getoption("require_kafka"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    cluster = Cluster.start(tmp_path_factory.mktemp("postgres"), durable=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARITY_DATABASE", cluster.admin_url)
        yield Grounds(log, cluster.admin_url)
    cluster.stop()
    remove(cluster.home)


@asynccontextmanager
async def loaded(grounds: Grounds, home: Path) -> AsyncIterator[Load]:
    """An empty platform, with a practice that is about to be busy."""
    await asyncio.to_thread(background.reset, home, database="parity")
    async with (
        Platform.running(home, log=grounds.log, longest_delay=1) as platform,
        httpx.AsyncClient(timeout=60) as http,
    ):
        admin = await asyncpg.connect(grounds.admin_url.rpartition("/")[0] + "/parity")
        try:
            load = Load(await Scenario.open(platform, http), admin)
            await load.prepare()
            yield load
        finally:
            await admin.close()


@pytest.fixture(scope="module")
async def calm(grounds: Grounds, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The figures of the week in which nothing is killed."""
    async with loaded(grounds, tmp_path_factory.mktemp("calm") / "home") as load:
        await load.tell(every_seconds=0)
        await load.walk_the_week()
        assert await broken_promises(load) == []
        return await figures(load)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, metafunc.config.getoption("seeds") + 1))


async def test_whatever_is_killed_nothing_is_lost_and_nothing_comes_twice(
    grounds: Grounds, calm: dict[str, Any], tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    async with loaded(grounds, tmp_path / "home") as load:
        platform = load.scenario.client.platform
        async with Standby.running(platform) as standby:
            storm = Storm(platform, load, load.admin, standby, random.Random(seed))
            async with asyncio.TaskGroup() as both:
                both.create_task(load.tell(every_seconds=PACE_SECONDS))
                both.create_task(storm.rage())
            await platform.ready()
        await load.walk_the_week(storm.strike)
        await platform.ready()

        with capsys.disabled():
            print(f"\nseed {seed} on {grounds.log}, {time.monotonic() - began:.0f} s: {storm.told()}")
        assert set(storm.under_load()) == {part.name for part in platform.parts}
        assert len(storm.in_flight()) >= 10
        assert load.told == SESSIONS
        assert await broken_promises(load) == []
        assert await figures(load) == calm


@dataclass(slots=True)
class Trial:
    """A week in which processes die at named points, and what has come of it."""

    notes: Path
    broken: list[str] = field(default_factory=list)
    words: str = ""

    async def run(self, grounds: Grounds, calm: dict[str, Any], home: Path, seed: int) -> None:
        """The week has been walked; `broken` says what is not as promised."""
        began = time.monotonic()
        async with loaded(grounds, home) as load, points.Receiver.running() as receiver:
            client = load.scenario.client
            wanted = {"url": receiver.url, "event_types": ["claim.submitted.v1"]}
            await client.post("reporting", "/v1/webhook-endpoints", wanted)
            points.arm(self.notes, random.Random(seed))
            async with asyncio.TaskGroup() as both:
                both.create_task(load.tell(every_seconds=0))
                both.create_task(points.poison(client.platform))
            await load.walk_the_week()
            await client.platform.ready()
            parked = await points.take_out_poison(load.admin)
            if parked != points.POISONS * 3:
                self.broken.append(f"{parked} poisoned records are parked, not {points.POISONS * 3}")
            if len(receiver.ids) != SESSIONS:
                self.broken.append(f"{len(receiver.ids)} webhooks, not {SESSIONS}")
            self.broken += await broken_promises(load)
            if await figures(load) != calm:
                self.broken.append("the figures are not those of the undisturbed week")
            again = absorbed(client.platform.home)
            if not again:
                self.broken.append("no record that came again was absorbed by an inbox")
        died = sum(points.hits(self.notes).values())
        self.words = f"{time.monotonic() - began:.0f} s: {died} deaths, {again} records came again and were absorbed"


async def test_a_death_at_any_named_point_loses_nothing_and_doubles_nothing(
    grounds: Grounds,
    calm: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trial = Trial(tmp_path / "notes")
    monkeypatch.setenv("PARITY_CRASH", str(trial.notes))
    await trial.run(grounds, calm, tmp_path / "home", seed)

    with capsys.disabled():
        print(f"\nnamed points, seed {seed} on {grounds.log}, {trial.words}")
    assert points.hits(trial.notes) == points.EACH_HIT
    assert trial.broken == []


@pytest.mark.skipif(not os.environ.get("PARITY_MUTANTS"), reason="make chaos MUTANTS=1")
@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_broken_design_is_caught(
    grounds: Grounds,
    calm: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutant: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trial = Trial(tmp_path / "notes")
    monkeypatch.setenv("PARITY_CRASH", str(trial.notes))
    monkeypatch.setenv("PARITY_MUTANT", mutant)
    try:
        async with asyncio.timeout(MUTANT_SECONDS):
            await trial.run(grounds, calm, tmp_path / "home", 1)
    except (TimeoutError, PlainError, Refused) as error:  # it waits for what is lost, or lacks what it is asked for
        trial.broken.append(f"the week cannot be walked or read ({str(error)[:120] or 'out of time'})")

    with capsys.disabled():
        print(f"\n{mutant:36} {'caught' if trial.broken else 'NOT CAUGHT'}: {'; '.join(trial.broken)[:300]}")
    assert trial.broken
