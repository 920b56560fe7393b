"""What payers have decided on a claim and not taken back, as they said it."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from libs.common.db import Transaction
from services.remittance import tables as t
from services.remittance.domain.era import EraClaim, of


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingDecision:
    """A payment that nobody has taken back, with what the payer said of the claim."""

    posting_id: str
    submission_id: str
    payer_id: str
    rank: int
    paid_on: date
    claim: EraClaim


async def standing(tx: Transaction, claim_id: str) -> list[StandingDecision]:
    """The decisions on the claim that nobody has taken back, as payers made them."""
    rows = await tx.all(
        sa.select(
            t.era_claim,
            t.posting.c.id.label("posting_id"),
            t.posting.c.submission_id.label("answers"),
            t.posting.c.payer_id,
            t.posting.c.rank,
            t.posting.c.paid_on,
        )
        .join(
            t.era_claim,
            sa.and_(t.era_claim.c.tenant_id == t.posting.c.tenant_id, t.era_claim.c.id == t.posting.c.era_claim_id),
        )
        .where(
            t.posting.c.tenant_id == tx.tenant,
            t.posting.c.claim_id == claim_id,
            t.posting.c.entry == "payment",
            t.posting.c.reversed_by.is_(None),
        )
        .order_by(t.posting.c.ordering, t.posting.c.id)
    )
    return [
        StandingDecision(
            posting_id=row["posting_id"],
            submission_id=row["answers"],
            payer_id=row["payer_id"],
            rank=row["rank"],
            paid_on=row["paid_on"],
            claim=of(row),
        )
        for row in rows
    ]
