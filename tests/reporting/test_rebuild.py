"""Tables made again from the archive are the live ones, and go on as before."""

import sqlalchemy as sa

from services.reporting.rebuild import rebuild
from tests.conftest import TestDatabase
from tests.reporting.ledgers import a_month, project, tables


async def test_rebuilt_tables_are_the_live_ones_and_take_what_comes_next(fresh_database: TestDatabase) -> None:
    database = fresh_database.open("reporting")
    records = a_month()
    await project(database, records[:-3])
    live = await tables(fresh_database)

    counted = await rebuild(fresh_database.url("reporting", "owner"))
    assert await tables(fresh_database) == live
    assert counted["claim"] == 12

    await project(database, records[-3:])
    grown = await tables(fresh_database)
    await rebuild(fresh_database.url("reporting", "owner"))
    assert await tables(fresh_database) == grown
    async with database.transaction("tnt_other") as tx:
        assert await tx.scalar(sa.text("select count(*) from reporting.claim")) == 0


async def test_a_damaged_table_is_whole_again_after_a_rebuild(fresh_database: TestDatabase) -> None:
    database = fresh_database.open("reporting")
    await project(database, a_month())
    whole = await tables(fresh_database)
    async with database.transaction("tnt_test") as tx:
        await tx.execute(sa.text("update reporting.claim set status = 'nonsense'"))
        await tx.execute(sa.text("delete from reporting.payment"))
    await rebuild(fresh_database.url("reporting", "owner"))
    assert await tables(fresh_database) == whole
