"""Provider adjustments (PLB): money of no claim of its file, kept by payer and reference until both ends have met."""

from datetime import timedelta

import sqlalchemy as sa

from libs.common import tasks
from libs.common.db import Row, Transaction
from services.remittance import tables as t
from services.remittance.ledger import DAYS_TO_LOOK_AT_IT, OWNER

TAKEBACK = "plb:takeback_due"
UNKNOWN = "plb:suspense"
FORWARDED_BALANCE = "FB"


async def entries_of(tx: Transaction, era_id: str) -> list[tuple[str, int, str]]:
    """Account, amount and reference of each provider adjustment of a remittance; positive debits the account."""
    rows = await tx.all(
        sa.select(t.provider_adjustment)
        .where(t.provider_adjustment.c.tenant_id == tx.tenant, t.provider_adjustment.c.era_id == era_id)
        .order_by(t.provider_adjustment.c.position)
    )
    return [(row["account"], row["amount_cents"], row["reference"]) for row in rows]


async def link(tx: Transaction, era: Row) -> None:
    """Each takeback names the claim of an earlier remittance that it refers to; one that names none has a task.

    A takeback is never spread over the claims of the file that carries it.
    """
    rows = await tx.all(
        sa.select(t.provider_adjustment)
        .where(t.provider_adjustment.c.tenant_id == tx.tenant, t.provider_adjustment.c.era_id == era["id"])
        .order_by(t.provider_adjustment.c.position)
    )
    for row in rows:
        claim_id = await _claim_of(tx, row["reference"], era["id"])
        if claim_id is not None:
            await tx.execute(
                t.provider_adjustment.update()
                .where(t.provider_adjustment.c.tenant_id == tx.tenant, t.provider_adjustment.c.id == row["id"])
                .values(claim_id=claim_id)
            )
        await _watch(tx, era, row, claim_id)


async def _claim_of(tx: Transaction, reference: str, era_id: str) -> str | None:
    """The only claim that an earlier remittance decided under this number, the payer's or ours."""
    if not reference:
        return None
    rows = await tx.all(_CLAIM_OF, {"tenant": tx.tenant, "reference": reference, "era": era_id})
    return rows[0]["claim_id"] if len(rows) == 1 else None


async def _watch(tx: Transaction, era: Row, row: Row, claim_id: str | None) -> None:
    """A person looks at what was taken, as long as payer and reference do not come to zero."""
    standing = int(
        await tx.scalar(
            _STANDING,
            {
                "tenant": tx.tenant,
                "account": row["account"],
                "reference": row["reference"],
                "payer": era["payer_id"],
            },
        )
    )
    subjects = await tx.all(
        _SAME_REFERENCE, {"tenant": tx.tenant, "account": row["account"], "reference": row["reference"]}
    )
    if standing == 0:
        for subject in subjects:
            await tasks.close(tx, subject_id=subject["id"], outcome="met")
        return
    taken = row["account"] == TAKEBACK and row["amount_cents"] > 0
    if row["account"] == UNKNOWN or (taken and claim_id is None):
        words = f"the payer adjusted a payment with code {row['code']}, and no claim of ours goes by its reference"
        await _ask(tx, era, row, "plb_unlinked", words)
    elif taken:
        await _ask(tx, era, row, "takeback_open", f"money for {claim_id} was taken back and its reversal has not come")


async def _ask(tx: Transaction, era: Row, row: Row, reason: str, words: str) -> None:
    await tasks.open(
        tx,
        reason=reason,
        subject_type="provider_adjustment",
        subject_id=row["id"],
        practice_id=era["practice_id"],
        owner=OWNER,
        due_on=tx.today + timedelta(days=DAYS_TO_LOOK_AT_IT),
        amount_cents=abs(row["amount_cents"]),
        detail=words,
    )


_CLAIM_OF = sa.text("""
    select distinct p.claim_id from posting p
    left join submission s on s.tenant_id = p.tenant_id and s.id = p.submission_id
    where p.tenant_id = :tenant and p.era_id <> :era and (p.icn = :reference or s.pcn = :reference)
""")
_STANDING = sa.text("""
    select coalesce(sum(amount_cents), 0) from entry
    where tenant_id = :tenant and account = :account and reference = :reference and payer_id is not distinct from :payer
""")
_SAME_REFERENCE = sa.text("""
    select id from provider_adjustment where tenant_id = :tenant and account = :account and reference = :reference
""")
