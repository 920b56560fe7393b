"""What remittance keeps of other services' aggregates: the newest state that it has seen."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Transaction
from services.remittance import tables as t


async def save_practice(tx: Transaction, practice_id: str, *, npi: str, sequence: int) -> None:
    await _newest(tx, t.practice, ["tenant_id", "practice_id"], practice_id=practice_id, npi=npi, sequence=sequence)


async def save_coverage(tx: Transaction, *, coverage_id: str, sequence: int, **values: Any) -> None:
    await _newest(
        tx, t.coverage, ["tenant_id", "coverage_id"], coverage_id=coverage_id, sequence=sequence, **values
    )  # fmt: skip


async def _newest(tx: Transaction, table: sa.Table, key: list[str], **values: Any) -> None:
    """The row says this, unless it already says something newer."""
    row = insert(table).values(tenant_id=tx.tenant, **values)
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=key,
            set_={name: row.excluded[name] for name in values},
            where=table.c.sequence < row.excluded.sequence,
        )
    )
