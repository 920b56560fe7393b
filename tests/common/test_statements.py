"""What asyncpg runs in SQLAlchemy's place gives the same rows, counts and errors."""

import contextlib
from datetime import date

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from libs.common.db import FEW, Database
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


async def test_many_rows_that_wait_are_written_as_each_by_itself_would_be(module_database: TestDatabase) -> None:
    rows = [
        {**ROW, "id": f"x_{n:02}", "on": date(2026, 10, 5) if n % 2 else None, "words": words, "cents": n}
        for n, words in enumerate([["one", 'a "word"', "back\\slash, {brace}", ""], [], None] * (FEW // 2))
    ]
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        insert = thing.insert()
        for row in rows:
            tx.later(insert, row)
        assert await tx.all(sa.select(thing).order_by(thing.c.id)) == rows


async def test_of_many_rows_what_they_share_is_given_once(module_database: TestDatabase) -> None:
    same = {**ROW, "words": ["one", 'a "word"'], "on": None}
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE.replace(" primary key", ""))
        insert = thing.insert()
        for number in range(FEW + 1):
            tx.later(insert, same)
            tx.later(insert, same | {"id": "x_2", "cents": number})
        everything = sa.select(thing).order_by(thing.c.id, thing.c.cents)
        others = [same | {"id": "x_2", "cents": number} for number in range(FEW + 1)]
        assert await tx.all(everything) == [same] * (FEW + 1) + others
        await tx.execute(thing.delete())
        for _ in range(FEW + 1):
            tx.later(insert, same)
        assert await tx.all(everything) == [same] * (FEW + 1)


@pytest.mark.parametrize("apart", [2 * FEW, 2])
async def test_many_rows_that_meet_others_are_written_as_each_by_itself_would_be(
    module_database: TestDatabase, apart: int
) -> None:
    put = sa.text(
        r"insert into thing (id, cents) values (:id\:\:text, :cents\:\:bigint) "
        "on conflict (id) do update set cents = thing.cents + excluded.cents"
    )
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        await tx.execute(thing.insert(), [{"id": "x_0", "cents": 100}])
        for number in range(2 * FEW):
            tx.later(put, {"id": f"x_{number % apart}", "cents": 1})
        found = [row["cents"] for row in await tx.all(sa.select(thing.c.cents).order_by(thing.c.id))]
        each = 2 * FEW // apart
        assert found == [100 + each] + [each] * (apart - 1)


async def test_of_each_table_what_waits_is_written_in_its_order(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        raised = sa.text("update thing set cents = cents * 10 where id = :id")
        insert = thing.insert()
        for n in range(FEW):
            tx.later(insert, {**ROW, "id": f"x_{n}", "on": None})
            tx.later(raised, {"id": f"x_{n}"})
        assert await tx.scalar(sa.text("select sum(cents)::bigint from thing")) == 70 * FEW


async def test_a_write_says_how_many_rows_it_met(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        await tx.execute(thing.insert(), [{**ROW, "id": f"x_{n}"} for n in range(3)])
        assert (await tx.execute(thing.update().where(thing.c.id != "x_0").values(cents=8))).rowcount == 2
        assert (await tx.execute(sa.text("delete from thing where cents = :cents"), {"cents": 9})).rowcount == 0


async def test_a_list_of_values_is_as_long_as_it_is_today(module_database: TestDatabase) -> None:
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


async def test_a_statement_that_stands_takes_other_values_each_time(module_database: TestDatabase) -> None:
    insert, among = thing.insert(), sa.select(thing.c.id).where(thing.c.id.in_(sa.bindparam("ids", expanding=True)))
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        for number in range(3):
            await tx.execute(insert, {**ROW, "id": f"x_{number}", "cents": number})
        await tx.execute(insert, {"id": "x_3"})
        assert await tx.scalar(sa.select(sa.func.sum(thing.c.cents))) == 3
        for ids in (["x_0"], ["x_0", "x_3"], []):
            assert [row["id"] for row in await tx.all(among, {"ids": ids})] == ids


async def test_an_error_is_of_the_family_that_sqlalchemy_raises(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        await tx.execute(thing.insert().values(**ROW))
        with pytest.raises(sa.exc.IntegrityError) as twice:
            async with tx.savepoint():
                await tx.execute(thing.insert().values(**ROW))
        assert isinstance(twice.value.orig, asyncpg.UniqueViolationError)
        with pytest.raises(sa.exc.ProgrammingError):
            async with tx.savepoint():
                await tx.all(sa.text("select * from no_such_table"))


async def test_what_may_wait_is_written_before_anything_is_asked(module_database: TestDatabase) -> None:
    many = sa.text("insert into thing (id, cents) select * from unnest(cast(:ids as text[]), cast(:cents as bigint[]))")
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        tx.later(thing.insert(), {"id": "x_1", "cents": 1})
        tx.later(thing.insert(), {"id": "x_2", "cents": 1})
        tx.later(thing.update().where(thing.c.id == "x_1").values(cents=5))
        tx.later_row(many, {"ids": "x_3", "cents": 10})
        tx.later_row(many, {"ids": "x_4", "cents": 20})
        assert await tx.scalar(sa.select(sa.func.sum(thing.c.cents))) == 36
        tx.later(sa.text("delete from thing where cents = :cents"), {"cents": 10})
        assert [row["id"] for row in await tx.all(sa.select(thing.c.id).order_by("id"))] == ["x_1", "x_2", "x_4"]


async def test_what_waits_and_meets_no_row_undoes_all(module_database: TestDatabase) -> None:
    database = module_database.open("claims")
    name = {"tenant": "tnt_a", "name": "missed"}

    async def miss() -> None:
        async with database.transaction("tnt_a") as tx:
            tx.later(sa.text("insert into counter (tenant_id, name, last) values (:tenant, :name, 1)"), name)
            tx.later(sa.text("delete from timer where id = 'none'"), missed=LookupError())

    with pytest.raises(LookupError):
        await miss()
    async with database.transaction("tnt_a") as tx:
        assert await tx.scalar(sa.text("select count(*) from counter where name = :name"), {"name": "missed"}) == 0


async def test_a_savepoint_undoes_what_waited_inside_and_nothing_else(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)

        async def inside(id: str, error: Exception | None = None) -> None:
            async with tx.savepoint():
                tx.later(thing.insert(), {"id": id})
                if error is not None:
                    raise error

        tx.later(thing.insert(), {"id": "x_1"})
        with pytest.raises(LookupError):
            await inside("x_2", LookupError())
        with pytest.raises(sa.exc.IntegrityError):
            await inside("x_1")
        await inside("x_3")
        assert [row["id"] for row in await tx.all(sa.select(thing.c.id).order_by("id"))] == ["x_1", "x_3"]


async def test_a_failure_that_was_passed_over_is_not_taken_for_a_commit(module_database: TestDatabase) -> None:
    async def pass_over() -> None:
        async with module_database.open("reporting").transaction("tnt_a") as tx:
            with contextlib.suppress(sa.exc.ProgrammingError):
                await tx.all(sa.text("select * from no_such_table"))

    with pytest.raises(sa.exc.InvalidRequestError):
        await pass_over()


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
