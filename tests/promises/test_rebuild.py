"""Promise: the analytics tables can be made again from the archive, row for row, whatever came first."""

import time
from collections import defaultdict
from contextlib import suppress

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from libs.common.events import CATALOG, Envelope, Event, read
from services.reporting.project import on_event
from services.reporting.rebuild import rebuild
from tests.conftest import TestDatabase
from tests.reporting.ledgers import TENANT, a_month, project, rows_of, tables

CLAIMS = 7_700
AT_LEAST = 100_000
MOST_SECONDS = 300.0
EXAMPLES = 2_000
CLAIMS_IN_TURN = 2
"""One paid, one denied."""


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


@pytest.mark.thorough
async def test_any_interleaving_that_keeps_the_order_of_each_key_gives_the_same_tables(
    fresh_database: TestDatabase,
) -> None:
    """Each in a transaction that is undone, so that every one begins with empty tables."""
    database = fresh_database.open("reporting")
    by_key = list(_by_key(a_month(CLAIMS_IN_TURN)).values())
    turns = [number for number, events in enumerate(by_key) for _ in events]
    orders = [turns, *_permutations(turns)]
    found = []
    for order in orders:
        with suppress(Undone):
            async with database.transaction(TENANT) as tx:
                for place, event in enumerate(_in_turn(by_key, order)):
                    await on_event(tx, event)
                    if place % len(by_key) == order[0]:  # what one transaction takes is written together
                        await tx.settle()
                await tx.settle()
                found.append(await rows_of(tx.connection))
                raise Undone
        assert found[-1] == found[0], f"by this order of keys: {order}"
    assert sum(map(len, found[0].values())) >= 6 * CLAIMS_IN_TURN
    assert len({tuple(order) for order in orders}) > EXAMPLES * 0.9


class Undone(Exception):
    """What the transaction did has been looked at, and is not kept."""


def _by_key(records: list[bytes]) -> dict[tuple[str, str], list[Envelope[Event]]]:
    """What was told, key by key, each in its order."""
    found: dict[tuple[str, str], list[Envelope[Event]]] = defaultdict(list)
    for raw in records:
        event = read(raw, CATALOG[orjson.loads(raw)["type"].removesuffix(".v1")])
        found[event.type, event.subject].append(event)
    return found


def _permutations(turns: list[int]) -> list[list[int]]:
    """Orders in which the keys take turns, made up by hypothesis."""
    orders: list[list[int]] = []

    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.permutations(turns))
    def collect(order: list[int]) -> None:
        orders.append(order)

    collect()
    return orders


def _in_turn(by_key: list[list[Envelope[Event]]], order: list[int]) -> list[Envelope[Event]]:
    """The events of all keys, each key's in its order, the keys taking turns as `order` says."""
    left = [iter(records) for records in by_key]
    return [next(left[number]) for number in order]
