"""A row that may be there already is as it was given, unless what stands there is newer."""

import sqlalchemy as sa

from libs.common import upserts
from tests.conftest import TestDatabase

copy = sa.Table(
    "copy",
    sa.MetaData(),
    sa.Column("tenant_id", sa.Text),
    sa.Column("id", sa.Text),
    sa.Column("words", sa.Text),
    sa.Column("sequence", sa.BigInteger),
)
MAKE = "create temp table copy (tenant_id text, id text, words text, sequence bigint, primary key (tenant_id, id))"
KEYS = ("tenant_id", "id")


async def test_old_news_change_nothing(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        told = {}
        for sequence, words in ((2, "second"), (1, "first"), (2, "second again"), (3, "third")):
            row = {"id": "x_1", "words": words, "sequence": sequence}
            told[words] = await upserts.put(tx, copy, KEYS, row, newer="sequence")
        assert told == {"second": True, "first": False, "second again": False, "third": True}
        assert await tx.all(sa.select(copy)) == [{"tenant_id": "tnt_a", "id": "x_1", "words": "third", "sequence": 3}]


async def test_without_an_order_the_last_word_stands_and_what_is_not_given_stays(module_database: TestDatabase) -> None:
    async with module_database.open("reporting").transaction("tnt_a") as tx:
        await (await tx.driver()).execute(MAKE)
        assert await upserts.put(tx, copy, KEYS, {"id": "x_1", "words": "one", "sequence": 1})
        assert await upserts.put(tx, copy, KEYS, {"id": "x_1", "words": "two"})
        assert await upserts.put(tx, copy, KEYS, {"id": "x_2", "words": "else"})
        rows = await tx.all(sa.select(copy.c.id, copy.c.words, copy.c.sequence).order_by(copy.c.id))
        assert rows == [
            {"id": "x_1", "words": "two", "sequence": 1},
            {"id": "x_2", "words": "else", "sequence": None},
        ]
