"""What asyncpg runs in SQLAlchemy's place gives the same rows, counts and errors."""

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from libs.common.db import Database
from libs.common.statements import Done
from tests.conftest import TestDatabase

thing = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("on", sa.Date),
    sa.Column("data", pg.JSONB),
    sa.Column("words", pg.ARRAY(sa.Text)),
    sa.Column("cents", sa.BigInteger),
)
MAKE = 'create temp table thing (id text primary key, "on" date, data jsonb, words text[], cents bigint)'
ROW = {"id": "x_1", "data": {"a": [1, None, "é"]}, "words": ["one", "two"], "cents": 7}


async def test_a_value_comes_back_as_it_was_written(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        assert isinstance(await tx.execute(thing.insert().values(**ROW)), Done)
        assert await tx.one(sa.select(thing)) == {**ROW, "on": None}
        assert await tx.scalar(sa.select(thing.c.data)) == ROW["data"]
        assert await tx.first(sa.select(thing).where(thing.c.cents > 7)) is None


async def test_a_write_says_how_many_rows_it_met(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        await tx.execute(thing.insert(), [{**ROW, "id": f"x_{n}"} for n in range(3)])
        assert (await tx.execute(thing.update().where(thing.c.id != "x_0").values(cents=8))).rowcount == 2
        assert (await tx.execute(sa.text("delete from thing where cents = :cents"), {"cents": 9})).rowcount == 0


async def test_a_list_of_values_is_left_to_sqlalchemy(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        await tx.execute(thing.insert().values(**ROW))
        for ids, count in ((["x_1", "x_2"], 1), ([], 0), (["x_1"], 1)):
            assert len(await tx.all(sa.select(thing.c.id).where(thing.c.id.in_(ids)))) == count


async def test_the_same_statement_with_other_values_is_another_question(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        await tx.execute(thing.insert().values(**ROW))
        found = [await tx.scalar(sa.select(thing.c.id).where(thing.c.cents == cents)) for cents in (7, 8, 7)]
        assert found == ["x_1", None, "x_1"]


async def test_an_error_is_of_the_family_that_sqlalchemy_raises(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        await tx.execute(thing.insert().values(**ROW))
        savepoint = await tx.connection.begin_nested()
        with pytest.raises(sa.exc.IntegrityError) as twice:
            await tx.execute(thing.insert().values(**ROW))
        assert isinstance(twice.value.orig, asyncpg.UniqueViolationError)
        await savepoint.rollback()
        with pytest.raises(sa.exc.ProgrammingError):
            await tx.all(sa.text("select * from no_such_table"))


async def test_a_connection_that_is_cut_is_not_used_again(module_database: TestDatabase) -> None:
    database = module_database.open("reporting", pool=1)
    with pytest.raises(sa.exc.DBAPIError):
        await _cut_off_within(database, module_database.admin_url)
    async with database.transaction("tnt_a") as tx:
        assert await tx.scalar(sa.text("select 1 as one")) == 1


async def _cut_off_within(database: Database, admin_url: str) -> None:
    async with database.transaction("tnt_a") as tx:
        admin = await asyncpg.connect(admin_url)
        await admin.execute("select pg_terminate_backend($1)", await tx.scalar(sa.text("select pg_backend_pid()")))
        await admin.close()
        await tx.scalar(sa.text("select 1 as one"))
