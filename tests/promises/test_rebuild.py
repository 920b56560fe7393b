"""Promise: the analytics tables can be made again from the archive, row for row, whatever came first."""

import time
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.common.db import Database
from services.reporting.rebuild import rebuild
from tests.conftest import TestDatabase
from tests.reporting.ledgers import a_month, emptied, project, tables

CLAIMS = 7_700
AT_LEAST = 100_000
MOST_SECONDS = 300.0
EXAMPLES, EXAMPLES_AT_NIGHT = 30, 2_000


@pytest.mark.slow
async def test_a_hundred_thousand_events_are_rebuilt_within_five_minutes(
    fresh_database: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    database = fresh_database.open("reporting")
    records = a_month(CLAIMS)
    assert len(records) >= AT_LEAST
    for first in range(0, len(records), 1_000):
        await project(database, records[first : first + 1_000])
    live = await tables(fresh_database)

    began = time.monotonic()
    counted = await rebuild(fresh_database.url("reporting", "owner"))
    took = time.monotonic() - began
    with capsys.disabled():
        print(f"\nrebuilt {len(records)} events into {sum(counted.values())} rows in {took:.1f} s")
    assert await tables(fresh_database) == live
    assert counted["claim"] == CLAIMS
    assert took < MOST_SECONDS


@pytest.fixture(scope="module")
async def told(module_database: TestDatabase) -> tuple[Database, list[list[bytes]], dict[str, Any]]:
    """What was told, key by key, each in its order; and the tables that it makes as it came."""
    database = module_database.open("reporting")
    records = a_month(4)
    await project(database, records)
    by_key: dict[tuple[bytes, ...], list[bytes]] = defaultdict(list)
    for raw in records:
        by_key[tuple(raw.partition(name)[2].partition(b",")[0] for name in (b'"type":', b'"subject":'))].append(raw)
    return database, list(by_key.values()), await tables(module_database)


@pytest.mark.thorough
async def test_any_interleaving_that_keeps_the_order_of_each_key_gives_the_same_tables(
    told: tuple[Database, list[list[bytes]], dict[str, Any]], module_database: TestDatabase, night: bool
) -> None:
    database, by_key, expected = told
    turns = [number for number, records in enumerate(by_key) for _ in records]
    orders: list[list[int]] = []

    @settings(
        max_examples=EXAMPLES_AT_NIGHT if night else EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.permutations(turns))
    def collect(order: list[int]) -> None:
        orders.append(order)

    collect()
    for order in orders:
        await emptied(module_database)
        await project(database, _in_turn(by_key, order))
        assert await tables(module_database) == expected, f"by this order of keys: {order}"
    assert len({tuple(order) for order in orders}) > len(orders) / 2


def _in_turn(by_key: list[list[bytes]], order: list[int]) -> list[bytes]:
    """The records of all keys, each key's in its order, the keys taking turns as `order` says."""
    left = [iter(records) for records in by_key]
    return [next(left[number]) for number in order]
