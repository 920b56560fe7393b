"""Remittance as its callers reach it: the real application over a migrated database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.remittance.app import create_service
from tests.conftest import TestDatabase
from tests.remittance.payers import Books, open_books


@pytest.fixture
async def books(module_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Books]:
    """The books of one tenant, and the payers that answer it."""
    async with open_books(create_service(), module_database, tmp_path) as found:
        yield found
