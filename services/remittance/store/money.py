"""Patients' payments, as received."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Row, Transaction
from services.remittance import tables as t


async def taken_at_visit(tx: Transaction, encounter_id: str) -> tuple[int, int]:
    """What was collected at the visit, by the newest revision of the encounter that is known."""
    row = await tx.first(
        sa.select(t.visit).where(t.visit.c.tenant_id == tx.tenant, t.visit.c.encounter_id == encounter_id)
    )
    return (0, 0) if row is None else (row["collected_cents"], row["revision"])


async def save_visit(tx: Transaction, encounter_id: str, **values: Any) -> None:
    """What was collected at a visit is known: `practice_id`, `patient_id`, `collected_cents`, `revision`."""
    row = insert(t.visit).values(tenant_id=tx.tenant, encounter_id=encounter_id, **values)
    await tx.execute(row.on_conflict_do_update(index_elements=["tenant_id", "encounter_id"], set_=values))


async def is_pending(tx: Transaction, patient_id: str) -> bool:
    """The patient may yet owe something: a visit is not billed, or a claim not decided."""
    return bool(await tx.scalar(_PENDING, {"tenant": tx.tenant, "patient": patient_id}))


_PENDING = sa.text("""
    select exists (
        select 1 from line where tenant_id = :tenant and patient_id = :patient
            and in_flight_cents + denied_open_cents > 0
    ) or exists (
        select 1 from visit v where v.tenant_id = :tenant and v.patient_id = :patient and not exists (
            select 1 from receivable r
            where r.tenant_id = v.tenant_id and r.patient_id = v.patient_id and r.encounter_id = v.encounter_id
        )
    )
""")


async def add(tx: Transaction, **values: Any) -> None:
    await tx.execute(t.patient_money.insert(), {"tenant_id": tx.tenant, "created_at": tx.now, **values})


async def account(tx: Transaction, patient_id: str) -> Row | None:
    return await tx.first(
        sa.select(t.patient_account).where(
            t.patient_account.c.tenant_id == tx.tenant, t.patient_account.c.patient_id == patient_id
        )
    )


async def payments(tx: Transaction, patient_id: str) -> Sequence[Row]:
    return await tx.all(
        sa.select(t.patient_money)
        .where(t.patient_money.c.tenant_id == tx.tenant, t.patient_money.c.patient_id == patient_id)
        .order_by(t.patient_money.c.created_at, t.patient_money.c.id)
    )


async def add_write_off(tx: Transaction, **values: Any) -> Row:
    row = t.patient_write_off.insert().values(tenant_id=tx.tenant, created_at=tx.now, **values)
    return await tx.one(row.returning(*t.patient_write_off.c))


async def write_off(tx: Transaction, write_off_id: str) -> Row | None:
    table = t.patient_write_off
    return await tx.first(sa.select(table).where(table.c.tenant_id == tx.tenant, table.c.id == write_off_id))


async def is_reversed(tx: Transaction, write_off_id: str) -> bool:
    table = t.patient_write_off
    found = sa.exists().where(table.c.tenant_id == tx.tenant, table.c.reverses == write_off_id)
    return bool(await tx.scalar(sa.select(found)))


def write_offs(tx: Transaction, patient_id: str | None) -> sa.Select[Any]:
    """What patients were let off, and what of it was asked for again."""
    found = sa.select(t.patient_write_off).where(t.patient_write_off.c.tenant_id == tx.tenant)
    return found if patient_id is None else found.where(t.patient_write_off.c.patient_id == patient_id)


async def open_reasons(tx: Transaction, subject_id: str) -> set[str]:
    """The reasons of the open tasks about something."""
    rows = await tx.all(_OPEN_REASONS, {"tenant": tx.tenant, "subject": subject_id})
    return {row["reason"] for row in rows}


_OPEN_REASONS = sa.text(
    "select reason from task where tenant_id = :tenant and subject_id = :subject and status = 'open'"
)
