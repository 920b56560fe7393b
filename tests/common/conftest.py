"""The doors' own service, a caller, and the database behind them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from libs.common.http import create_api
from libs.common.timers import Due, Work
from libs.common.webhooks import timers
from tests.callers import Issuer, calling
from tests.common import door_service
from tests.conftest import TestDatabase


@pytest.fixture(scope="session")
def issuer(secrets: Path) -> Issuer:
    return Issuer(secrets / "jwks.json").publish()


@pytest.fixture
async def api(fresh_database: TestDatabase, issuer: Issuer) -> AsyncIterator[FastAPI]:
    app = create_api(door_service.create_service(), fresh_database.settings("reporting"))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def biller(api: FastAPI, issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(api, issuer.token()) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Rows:
    """What stands in the database, past row-level security."""

    url: str

    async def __call__(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.url)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()


@pytest.fixture
def rows(fresh_database: TestDatabase) -> Rows:
    return Rows(fresh_database.admin_url)


@pytest.fixture
async def map_inbound(fresh_database: TestDatabase, rows: Rows) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Does the due mapping once, as the worker would; what raises is counted as an attempt."""
    (timer,) = timers(door_service.create_service())
    database = fresh_database.open("reporting")

    async with httpx.AsyncClient() as http:
        work = Work(db=database, http=http, keyring=fresh_database.keyring, settings=None)

        async def run() -> None:
            for row in await rows("select * from reporting.timer where kind = $1", timer.kind):
                due = Due(
                    kind=timer.kind, tenant_id=row["tenant_id"], id=row["id"], at=row["due_at"], attempts=row["attempts"]
                )
                try:
                    await timer.step(work, due)
                except RuntimeError:
                    await rows("update reporting.timer set attempts = attempts + 1 where id = $1", row["id"])

        yield run
