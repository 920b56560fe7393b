"""`make crash`, `make chaos`: processes die in the middle of the flow, and nothing is lost, nothing comes twice."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.kafka.broker import obstacle
from deploy.local import background
from deploy.local.platform import Platform
from deploy.local.postgres import Cluster, remove
from tests.platform import Scenario
from tests.promises.load import SESSIONS, Load, broken_promises, figures
from tests.promises.storm import Standby, Storm

pytestmark = pytest.mark.crash

PACE_SECONDS = 0.2


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
    async with Platform.running(home, log=grounds.log) as platform, httpx.AsyncClient(timeout=60) as http:
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
