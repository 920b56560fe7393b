"""Credentialing as its callers reach it: the real application over a migrated database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.credentialing.app import create_service
from tests.calls import Api, open_api
from tests.conftest import TestDatabase


@pytest.fixture
async def api(module_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Api]:
    """The API of credentialing for one tenant."""
    async with open_api(create_service(), module_database, tmp_path) as found:
        yield found
