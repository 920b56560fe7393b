"""The doors' own service, callers of a tenant of the test's own, and what then stands in the database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from deploy.local.postgres import Cluster
from libs.common.db import Database
from libs.common.http import create_api
from libs.common.ids import new_id
from libs.common.timers import Due, Work
from libs.common.webhooks import timers
from tests.callers import Issuer, calling
from tests.common import door_service
from tests.common.log.dock import dock
from tests.common.log.worlds import broker, group, harbour, topic, world
from tests.conftest import TestDatabase, copy_of, drop

__all__ = ["broker", "dock", "group", "harbour", "topic", "world"]  # fixtures of the delivery kernel


@pytest.fixture(scope="session")
def issuer(secrets: Path) -> Issuer:
    return Issuer(secrets / "jwks.json").publish()


@pytest.fixture(scope="session")
async def doors_database(template: str, cluster: Cluster, secrets: Path) -> AsyncIterator[TestDatabase]:
    """One database for all tests of the doors; each test has a tenant of its own in it."""
    database = await copy_of(template, cluster, secrets)
    yield database
    await drop(database, cluster)


@pytest.fixture(scope="session")
async def worker(doors_database: TestDatabase) -> Database:
    """The database as the service's worker opens it."""
    return doors_database.open("reporting")


@pytest.fixture(scope="session")
async def api(doors_database: TestDatabase, issuer: Issuer) -> AsyncIterator[FastAPI]:
    app = create_api(door_service.create_service(), doors_database.settings("reporting"))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def tenant() -> str:
    """A tenant that nobody else has."""
    return new_id("tnt")


@pytest.fixture
async def biller(api: FastAPI, issuer: Issuer, tenant: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of this tenant who may do everything."""
    async with calling(api, issuer.token(tenant_id=tenant)) as client:
        yield client


@pytest.fixture
async def anyone(api: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a token, who sends what he is told to and nothing else."""
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://parity.test") as client:
        yield client


@dataclass(frozen=True, slots=True)
class Rows:
    """What stands in the database, past row-level security."""

    url: str
    tenant: str

    async def of(self, table: str) -> list[dict[str, Any]]:
        """This tenant's rows of a kernel table."""
        order = "created_at" if table in ("task", "outbox", "idempotency") else "1"
        return await self(f"select * from reporting.{table} where tenant_id = $1 order by {order}", self.tenant)

    async def __call__(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.url)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()


@pytest.fixture
def rows(doors_database: TestDatabase, tenant: str) -> Rows:
    return Rows(doors_database.admin_url, tenant)


@pytest.fixture
async def map_inbound(
    worker: Database, doors_database: TestDatabase, rows: Rows
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Does the due mapping once, as the worker would; what raises counts as an attempt."""
    (timer,) = timers(door_service.create_service())

    async with httpx.AsyncClient() as http:
        work = Work(db=worker, http=http, keyring=doors_database.keyring, settings=None)

        async def run() -> None:
            for row in await rows.of("timer"):
                due = Due(
                    kind=row["kind"],
                    tenant_id=row["tenant_id"],
                    id=row["id"],
                    at=row["due_at"],
                    attempts=row["attempts"],
                )
                assert due.kind == timer.kind
                try:
                    await timer.step(work, due)
                except RuntimeError:
                    await rows("update reporting.timer set attempts = attempts + 1 where id = $1", row["id"])

        yield run
