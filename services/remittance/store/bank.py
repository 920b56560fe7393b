"""Deposits, and the remittances that announced them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from libs.common.db import Row, Transaction
from services.remittance import tables as t

ANNOUNCED = ("received", "waiting", "posted")
"""Remittances whose money is in clearing."""


async def same_deposit(
    tx: Transaction, *, trace: str, amount_cents: int, deposited_on: date, reference: str | None
) -> Row | None:
    return await tx.first(
        sa.select(t.deposit).where(
            t.deposit.c.tenant_id == tx.tenant,
            t.deposit.c.trace == trace,
            t.deposit.c.amount_cents == amount_cents,
            t.deposit.c.deposited_on == deposited_on,
            sa.func.coalesce(t.deposit.c.reference, "") == (reference or ""),
        )
    )


async def add_deposit(tx: Transaction, **values: Any) -> None:
    await tx.execute(t.deposit.insert(), {"tenant_id": tx.tenant, "created_at": tx.now, **values})


async def eras_awaiting_money(tx: Transaction, *, trace: str, amount_cents: int) -> Sequence[Row]:
    return await tx.all(
        sa.select(t.era).where(
            t.era.c.tenant_id == tx.tenant,
            t.era.c.trace == trace,
            t.era.c.amount_cents == amount_cents,
            t.era.c.deposit_id.is_(None),
            t.era.c.status.in_(ANNOUNCED),
        )
    )


async def unmatched_deposits(tx: Transaction, *, trace: str, amount_cents: int) -> Sequence[Row]:
    return await tx.all(
        sa.select(t.deposit).where(
            t.deposit.c.tenant_id == tx.tenant,
            t.deposit.c.trace == trace,
            t.deposit.c.amount_cents == amount_cents,
            t.deposit.c.status == "unmatched",
        )
    )


async def tie(tx: Transaction, deposit_id: str, era_id: str, *, practice_id: str | None) -> None:
    await tx.execute(
        t.deposit.update()
        .where(t.deposit.c.tenant_id == tx.tenant, t.deposit.c.id == deposit_id)
        .values(status="matched", era_id=era_id, practice_id=practice_id)
    )


async def deposit(tx: Transaction, deposit_id: str) -> Row | None:
    return await tx.first(sa.select(t.deposit).where(t.deposit.c.tenant_id == tx.tenant, t.deposit.c.id == deposit_id))


def all_deposits(tx: Transaction, status: str | None) -> sa.Select[Any]:
    found = sa.select(t.deposit).where(t.deposit.c.tenant_id == tx.tenant)
    return found if status is None else found.where(t.deposit.c.status == status)
