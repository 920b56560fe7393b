"""Money that payers withheld, and what of it they have returned."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.common.db import Row, Transaction
from services.remittance import tables as t


async def returned_of(tx: Transaction, claim_id: str) -> dict[str, int]:
    """What of the claim's withheld money has come back, by line."""
    table = t.withhold_return
    rows = await tx.all(
        sa.select(table.c.line_id, sa.func.sum(table.c.amount_cents).label("cents"))
        .where(table.c.tenant_id == tx.tenant, table.c.claim_id == claim_id)
        .group_by(table.c.line_id)
    )
    return {row["line_id"]: int(row["cents"]) for row in rows}


async def returns_in(tx: Transaction, era_id: str, account: str) -> Sequence[Row]:
    """The provider adjustments of a remittance that give withheld money back, with what has been used of them."""
    return await tx.all(_RETURNS, {"tenant": tx.tenant, "era": era_id, "account": account})


async def lines_with(
    tx: Transaction, *, payer_id: str | None, practice_id: str | None, claim_id: str | None
) -> Sequence[Row]:
    """Lines from which the payer still withholds, oldest first; of one claim where the payer names it."""
    return await tx.all(_LINES, {"tenant": tx.tenant, "payer": payer_id, "practice": practice_id, "claim": claim_id})


async def add_return(tx: Transaction, **values: Any) -> None:
    await tx.execute(t.withhold_return.insert(), {"tenant_id": tx.tenant, "created_at": tx.now, **values})


_RETURNS = sa.text("""
    select a.id, a.reference, a.account, a.claim_id, -a.amount_cents - coalesce(r.used, 0) as left_cents
    from provider_adjustment a left join lateral (
        select sum(w.amount_cents) as used from withhold_return w
        where w.tenant_id = a.tenant_id and w.provider_adjustment_id = a.id
    ) r on true
    where a.tenant_id = :tenant and a.era_id = :era and a.account = :account
        and -a.amount_cents - coalesce(r.used, 0) > 0
    order by a.position
""")
_LINES = sa.text("""
    select l.line_id, l.claim_id, l.practice_id, l.patient_id, l.withheld_cents from line l
    where l.tenant_id = :tenant and l.withheld_cents > 0 and (cast(:claim as text) is null or l.claim_id = :claim)
        and exists (
            select 1 from posting p join posting_line d on d.tenant_id = p.tenant_id and d.posting_id = p.id
            where p.tenant_id = l.tenant_id and p.claim_id = l.claim_id and d.line_id = l.line_id
                and p.entry = 'payment' and p.reversed_by is null and d.withheld_cents > 0 and p.payer_id = :payer
        )
        and (cast(:practice as text) is null or l.practice_id = :practice)
    order by l.service_date, l.claim_id, l.position
""")
