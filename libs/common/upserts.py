"""A row that may be there already: its statement is made once, for SQLAlchemy copies the whole table to make it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from libs.common.db import Transaction


async def put(
    tx: Transaction, table: sa.Table, keys: tuple[str, ...], values: Mapping[str, Any], *, newer: str | None = None
) -> bool:
    """The tenant's row of these keys is as given; with `newer`, only if that column grows. False if nothing changed."""
    row = {"tenant_id": tx.tenant, **values}
    return (await tx.execute(_upsert(table, keys, tuple(row), newer), row)).rowcount == 1


@cache
def _upsert(table: sa.Table, keys: tuple[str, ...], names: tuple[str, ...], newer: str | None) -> sa.Executable:
    statement = pg.insert(table)
    excluded = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: excluded[name] for name in names if name not in keys},
        where=None if newer is None else table.c[newer] < excluded[newer],
    )
