"""Any interleaving of topics gives the same analytics tables."""

import random

import pytest

from tests.conftest import TestDatabase
from tests.reporting.ledgers import a_month, emptied, project, tables


@pytest.mark.parametrize("seed", range(5))
async def test_any_interleaving_of_topics_gives_the_same_tables(module_database: TestDatabase, seed: int) -> None:
    records = a_month()
    database = module_database.open("reporting")
    await emptied(module_database)
    await project(database, records)
    in_order = await tables(module_database)
    assert {row["status"] for row in in_order["claim"]} == {"paid"}
    assert len(in_order["work"]) == 24

    shuffled = list(records)
    random.Random(seed).shuffle(shuffled)
    await emptied(module_database)
    await project(database, shuffled)
    assert await tables(module_database) == in_order


async def test_an_event_that_comes_twice_changes_nothing(module_database: TestDatabase) -> None:
    records = a_month()
    database = module_database.open("reporting")
    await emptied(module_database)
    await project(database, records)
    once = await tables(module_database)
    await project(database, records)
    assert await tables(module_database) == once
