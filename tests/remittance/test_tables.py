"""The tables that statements name are the tables that migrations made; the ledger cannot be changed or broken."""

from typing import Any

import pytest
import sqlalchemy as sa

from services.remittance import tables
from services.remittance.domain.ledger import BUCKET_NAMES

TENANT = "ten_1"


async def test_every_column_that_statements_name_exists(module_database: Any) -> None:
    async with module_database.open("remittance").transaction() as tx:
        rows = await tx.all(
            sa.text("select table_name, column_name from information_schema.columns where table_schema = 'remittance'")
        )
    there = {(row["table_name"], row["column_name"]) for row in rows}
    named = {(table.name, column.name) for table in tables.metadata.tables.values() for column in table.columns}
    assert named <= there
    migrated = {table for table, _ in there}
    assert {name for name, _ in named} <= migrated


def test_a_line_has_a_column_for_every_bucket() -> None:
    assert {f"{name}_cents" for name in BUCKET_NAMES} < set(tables.line.c.keys())


async def _journal(tx: Any, *amounts: int, line_id: str | None = None) -> None:
    await tx.execute(
        tables.journal.insert(),
        {"tenant_id": TENANT, "id": "jrn_1", "kind": "test", "posted_on": tx.today, "created_at": tx.now},
    )
    for n, amount in enumerate(amounts):
        await tx.execute(
            tables.entry.insert(),
            {"tenant_id": TENANT, "journal_id": "jrn_1", "n": n, "account": "cash", "amount_cents": amount,
             "line_id": line_id},
        )  # fmt: skip


async def test_the_database_refuses_a_journal_that_does_not_sum_to_zero(fresh_database: Any) -> None:
    db = fresh_database.open("remittance")
    with pytest.raises(sa.exc.IntegrityError, match="does not sum to zero"):
        async with db.transaction(TENANT) as tx:
            await _journal(tx, 100, -99)
    async with db.transaction(TENANT) as tx:
        await _journal(tx, 100, -100)


async def test_the_database_refuses_a_late_entry_in_an_old_journal(fresh_database: Any) -> None:
    db = fresh_database.open("remittance")
    async with db.transaction(TENANT) as tx:
        await _journal(tx, 100, -100)
    late = {"tenant_id": TENANT, "journal_id": "jrn_1", "n": 9, "account": "cash", "amount_cents": 1}
    with pytest.raises(sa.exc.IntegrityError):
        async with db.transaction(TENANT) as tx:
            await tx.execute(tables.entry.insert(), late)


@pytest.mark.parametrize("role", ["api", "worker"])
@pytest.mark.parametrize("change", ["update remittance.entry set amount_cents = 1", "delete from remittance.journal"])
async def test_nobody_may_change_what_is_in_the_ledger(module_database: Any, role: Any, change: Any) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        async with module_database.open("remittance", role).transaction(TENANT) as tx:
            await tx.execute(sa.text(change))


async def test_a_line_whose_charge_is_not_accounted_for_cannot_be_stored(module_database: Any) -> None:
    line = {"tenant_id": TENANT, "line_id": "sln_1", "claim_id": "clm_1", "practice_id": "prc_1", "patient_id": "pat_1",
            "position": 1, "code_family": "x", "billed_cents": 100, "in_flight_cents": 99}  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError, match="line_is_accounted_for"):
        async with module_database.open("remittance").transaction(TENANT) as tx:
            await tx.execute(tables.line.insert(), line | {"service_date": tx.today})
