"""Denials as they were told, what became of them, and codes that only people can read."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.codes.adjustments import Adjusts
from libs.common.db import Row, Transaction
from libs.common.events import DenialRaised
from services.remittance import tables as t
from services.remittance.domain.adjustments import Reading


async def without_denial(tx: Transaction, claim_id: str) -> Sequence[Row]:
    """The claim's decided lines that live decisions deny and that have no denial yet, as payers decided."""
    return await tx.all(_WITHOUT_DENIAL, {"tenant": tx.tenant, "claim": claim_id})


_WITHOUT_DENIAL = sa.text("""
    select p.id as posting_id, p.era_id, p.payer_id, p.icn, p.first_pass, l.line_id, l.adjustments, l.remark_codes,
        s.code_family, s.service_date
    from posting p
    join posting_line l on l.tenant_id = p.tenant_id and l.posting_id = p.id
    join line s on s.tenant_id = l.tenant_id and s.line_id = l.line_id
    left join denial d on d.tenant_id = p.tenant_id and d.posting_id = p.id and d.line_id = l.line_id
    where p.tenant_id = :tenant and p.claim_id = :claim and p.entry = 'payment' and p.reversed_by is null
        and l.denied_cents > 0 and d.id is null
    order by p.ordering, s.position, l.line_id
""")


async def add_denial(tx: Transaction, raised: DenialRaised, *, posting_id: str) -> None:
    await tx.execute(
        t.denial.insert(),
        {
            "tenant_id": tx.tenant,
            "id": raised.denial_id,
            "posting_id": posting_id,
            "claim_id": raised.claim_id,
            "line_id": raised.line_id,
            "practice_id": raised.practice_id,
            "payer_id": raised.payer_id,
            "denied_cents": raised.denied_cents,
            "group_code": raised.group_code,
            "reason_code": raised.reason_code,
            "remark_codes": list(raised.remark_codes),
            "raised_on": raised.raised_on,
        },
    )


async def resolve(tx: Transaction, denial_id: str, *, resolution: str, sequence: int) -> bool:
    """The last word on a denial is this one, unless a later one is known; False where nothing changes."""
    done = await tx.execute(
        t.denial.update()
        .where(
            t.denial.c.tenant_id == tx.tenant,
            t.denial.c.id == denial_id,
            t.denial.c.resolution_sequence < sequence,
        )
        .values(resolution=resolution, resolution_sequence=sequence)
    )
    return bool(done.rowcount)


async def readings(tx: Transaction) -> list[Reading]:
    """How the tenant reads what no table knows."""
    rows = await tx.all(sa.select(t.adjustment_reading).where(t.adjustment_reading.c.tenant_id == tx.tenant))
    return [
        Reading(
            payer_id=row["payer_id"],
            group=row["group_code"],
            reason=row["reason_code"],
            adjusts=Adjusts(row["adjusts"]),
            effective_from=row["effective_from"],
            effective_to=row["effective_to"],
        )
        for row in rows
    ]


async def add_reading(tx: Transaction, **values: Any) -> None:
    await tx.execute(t.adjustment_reading.insert(), {"tenant_id": tx.tenant, "created_at": tx.now, **values})


def all_readings(tx: Transaction) -> sa.Select[Any]:
    return sa.select(t.adjustment_reading).where(t.adjustment_reading.c.tenant_id == tx.tenant)


async def unclassified(tx: Transaction, *, claim_id: str | None = None) -> Sequence[Row]:
    """Decided lines that still count and have an adjustment that nobody has classified."""
    return await tx.all(_UNCLASSIFIED, {"tenant": tx.tenant, "claim": claim_id})


_UNCLASSIFIED = sa.text("""
    select p.id as posting_id, p.era_claim_id, p.claim_id, p.payer_id, p.rank, p.submission_id, l.line_id,
        l.adjustments, s.service_date
    from posting p
    join posting_line l on l.tenant_id = p.tenant_id and l.posting_id = p.id
    join line s on s.tenant_id = l.tenant_id and s.line_id = l.line_id
    where p.tenant_id = :tenant and p.entry = 'payment' and p.reversed_by is null and l.unknown_cents <> 0
        and (cast(:claim as text) is null or p.claim_id = :claim)
    order by p.ordering, l.line_id
""")


async def save_classes(tx: Transaction, posting_id: str, line_id: str, **cents: int) -> None:
    await tx.execute(
        t.posting_line.update()
        .where(
            t.posting_line.c.tenant_id == tx.tenant,
            t.posting_line.c.posting_id == posting_id,
            t.posting_line.c.line_id == line_id,
        )
        .values(**cents)
    )
