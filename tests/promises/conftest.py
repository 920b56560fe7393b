"""Where promises are tried: a Postgres that the module keeps, a platform on it, and a superuser's look inside."""

import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import asyncpg
import httpx
import pytest

from deploy.local.nursery import Nursery
from deploy.local.platform import Platform
from deploy.local.postgres import Cluster, remove
from tests.calls import Api, open_api
from tests.conftest import TestDatabase
from tests.contracts.generate import SERVICES


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
async def running(
    server: Cluster, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    """Every service runs, each as processes of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARITY_DATABASE", server.admin_url)
        async with Platform.running(tmp_path_factory.mktemp("platform") / "home", bear=nursery.spawn) as platform:
            yield platform


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def database(running: Platform, server: Cluster) -> str:
    """The platform's database, for a superuser, whom no policy holds back."""
    return f"{server.admin_url.rpartition('/')[0]}/parity"


@pytest.fixture
async def admin(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def apis(
    module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Api]]:
    """The five APIs over one real database, in this process, all asked by one tenant."""
    async with AsyncExitStack() as stack:
        found: dict[str, Api] = {}
        for name in SERVICES:
            service = importlib.import_module(f"services.{name}.app").create_service()
            home = tmp_path_factory.mktemp(name)
            found[name] = await stack.enter_async_context(open_api(service, module_database, home))
            found[name].tenant = found[SERVICES[0]].tenant
        yield found
