"""One running platform for the session: real processes, a real Postgres, the real embedded log. A tenant for each."""

from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local import postgres
from deploy.local.nursery import Nursery
from deploy.local.platform import Platform
from tests.platform import Scenario


@pytest.fixture(scope="session")
async def running(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """Every service runs, and is asked by nobody else."""
    home = tmp_path_factory.mktemp("platform")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PARITY_DATABASE", raising=False)
        async with Platform.running(home, bear=nursery.spawn) as platform:
            yield platform
    postgres.remove(home)


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
async def platform(running: Platform, http: httpx.AsyncClient) -> Scenario:
    """A practice that has just opened, with everything that a first session needs."""
    return await Scenario.open(running, http)
