"""Connections are shared, kept while they are at rest, and given up when anything is odd."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from libs.common import connections
from libs.common.connections import Pool
from tests.conftest import TestDatabase


@pytest.fixture
async def pool(module_database: TestDatabase) -> AsyncIterator[Pool]:
    found = Pool(module_database.url("reporting", "worker"), service="reporting", keep=1)
    yield found
    await found.close()


async def test_the_connection_that_was_used_last_is_taken_first(pool: Pool) -> None:
    first, second = await pool.take(), await pool.take()
    pool.give_back(first)
    pool.give_back(second)
    assert second.is_closed()  # one is kept
    assert await pool.take() is first
    pool.give_back(first)


async def test_a_connection_in_the_middle_of_something_is_cut_off(pool: Pool) -> None:
    connection = await pool.take()
    await connection.execute("begin")
    pool.give_back(connection)
    assert connection.is_closed()
    fresh = await pool.take()
    assert fresh.is_in_transaction() is False
    pool.give_back(fresh)


async def test_who_comes_too_late_waits_and_is_told(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WAIT_SECONDS", 0.2)
    first, second = await pool.take(), await pool.take()
    with pytest.raises(sa.exc.TimeoutError):
        await pool.take()
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    pool.give_back(second)
    pool.give_back(await waiting)
    pool.give_back(first)


async def test_a_database_that_is_away_is_an_outage_and_costs_no_place() -> None:
    pool = Pool("postgresql://nobody:x@127.0.0.1:1/none", service="reporting", keep=1)
    for _ in range(3):
        with pytest.raises(sa.exc.InterfaceError):
            await pool.take()
