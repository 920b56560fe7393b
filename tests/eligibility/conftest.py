"""Eligibility as its callers reach it: the real application over a migrated database, and a payer that answers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.eligibility.app import create_service
from tests.calls import Api, open_api
from tests.conftest import TestDatabase
from tests.eligibility.payers import Payers
from tests.eligibility.visits import set_up


@pytest.fixture
def payers() -> Payers:
    """The payers, who find every member active with a copay of 25.00 until told otherwise."""
    return Payers()


@pytest.fixture
async def api(module_database: TestDatabase, tmp_path: Path, payers: Payers) -> AsyncIterator[Api]:
    """The API of eligibility for one tenant with a practice and a clearinghouse account."""
    async with open_api(create_service(), module_database, tmp_path, outside=payers.transport) as found:
        await set_up(found)
        yield found
