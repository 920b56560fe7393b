"""Where promises are tried: a Postgres that the module keeps, a platform on it, and a superuser's look inside."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx
import pytest

from deploy.local.platform import Platform
from deploy.local.postgres import Cluster, remove


@pytest.fixture(scope="session")
def night(request: pytest.FixtureRequest) -> bool:
    """Whether there is time for the large figures."""
    return bool(request.config.getoption("night"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A database server for platforms, and none of the tests' own."""
    cluster = Cluster.start(tmp_path_factory.mktemp("postgres"), durable=False)
    yield cluster
    cluster.stop()
    remove(cluster.home)


@pytest.fixture(scope="session")
async def running(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """Every service runs, each as processes of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARITY_DATABASE", server.admin_url)
        async with Platform.running(tmp_path_factory.mktemp("platform") / "home") as platform:
            yield platform


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
async def admin(running: Platform, server: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """A superuser in the platform's database, whom no policy holds back."""
    connection = await asyncpg.connect(f"{server.admin_url.rpartition('/')[0]}/parity")
    yield connection
    await connection.close()
