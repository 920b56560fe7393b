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


async def other_payers(tx: Transaction, patient_id: str) -> list[dict[str, Any]]:
    """The patient's active coverages after the first."""
    rows = await tx.all(
        sa.select(t.coverage.c.payer_id, t.coverage.c.rank)
        .where(
            t.coverage.c.tenant_id == tx.tenant,
            t.coverage.c.patient_id == patient_id,
            t.coverage.c.status == "active",
            t.coverage.c.rank > 1,
        )
        .order_by(t.coverage.c.rank)
    )
    return [dict(row) for row in rows]
