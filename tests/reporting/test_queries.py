"""Counts by reason and by type."""

from services.reporting import queries
from tests.conftest import TestDatabase
from tests.reporting.ledgers import TENANT, a_month, project


async def test_tasks_and_events_are_counted(fresh_database: TestDatabase) -> None:
    database = fresh_database.open("reporting")
    await project(database, a_month())
    async with database.transaction(TENANT) as tx:
        assert await queries.work_by_reason(tx) == {}
        counted = await queries.events_by_topic(tx)
        exported = await queries.rows_of(tx, "submission")
    assert counted["claim.submitted.v1"] == 12
    assert counted["denial.raised.v1"] == 4
    assert len(exported) == 12
    assert all("tenant_id" not in row for row in exported)
