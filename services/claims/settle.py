"""The payer has decided: what remittance posted moves the claim, in any order with its acknowledgements."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from libs.common.db import Row, Transaction
from libs.common.events import Envelope, PaymentPosted
from services.claims import denials, next_payer, store, tables
from services.claims.domain import Claim, Status, Step
from services.claims.lifecycle import move

STEP = {
    "paid": Step.PAY,
    "partially_paid": Step.PAY_PARTLY,
    "denied": Step.DENY,
    "patient_responsibility": Step.LEAVE_TO_PATIENT,
    "reversed": Step.REVERSE,
}
FINAL = ("paid", "patient_responsibility")
"""Outcomes after which this payer owes nothing more."""
DECIDED = (Status.PAID, Status.PARTIALLY_PAID, Status.PATIENT_DUE)


async def on_payment(tx: Transaction, event: Envelope[PaymentPosted]) -> None:
    """The posting is on record, and the claim stands where it leaves it as soon as its state allows."""
    data = event.data
    await tx.execute(
        pg.insert(tables.posting)
        .values(
            posting_id=data.posting_id,
            tenant_id=tx.tenant,
            practice_id=data.practice_id,
            claim_id=data.claim_id,
            submission_id=data.submission_id,
            entry=data.entry,
            outcome=data.outcome,
            sequence=event.sequence,
            data=data.model_dump(mode="json"),
            applied=False,
            received_at=tx.now,
        )
        .on_conflict_do_nothing()
    )
    await apply(tx, await store.load(tx, data.claim_id, lock=True))


async def apply(tx: Transaction, claim: Claim) -> Claim:
    """Every posting that the claim's state allows has moved it, in the order of the ledger."""
    rows = await tx.all(
        sa.select(tables.posting)
        .where(tables.posting.c.claim_id == claim.id, tables.posting.c.applied.is_(False))
        .order_by(tables.posting.c.sequence, tables.posting.c.posting_id)
    )
    for row in rows:
        step = STEP.get(row["outcome"])
        earlier = row["data"]["rank"] < claim.rank
        if step is not None and not earlier and not claim.can(step):
            break
        if earlier:
            claim = await _of_an_earlier_payer(tx, claim, row)
        elif step is not None:
            claim = await _moved(tx, claim, step, row)
        await tx.execute(
            tables.posting.update().where(tables.posting.c.posting_id == row["posting_id"]).values(applied=True)
        )
        if row["entry"] == "payment":
            await denials.answered(tx, claim, row["data"])
    return claim


async def _moved(tx: Transaction, claim: Claim, step: Step, row: Row) -> Claim:
    """The claim stands where the decision leaves it: on its way to who pays next, if something is left for them."""
    data, words = row["data"], _words(row)
    if row["outcome"] in FINAL:
        gone = await next_payer.go_on(tx, claim, data, words)
        if gone is not None:
            return gone
    changes = _number(claim, row)
    if data["rank"] > claim.rank:
        changes |= {"rank": data["rank"], "payer_id": data["payer_id"]}
    return await move(tx, claim, step, words=words, **changes)


async def _of_an_earlier_payer(tx: Transaction, claim: Claim, row: Row) -> Claim:
    """A later payer has the claim, or has answered first: the claim stays with it, or is settled by both.

    Once the later payer has decided, a denial by the earlier one brings the claim back to that one's turn.
    """
    data, step = row["data"], STEP.get(row["outcome"])
    if claim.status in DECIDED and row["entry"] != "reversal":
        if step in {Step.DENY, Step.PAY_PARTLY} and data["denied_cents"] > 0:
            back = {name: data[name] for name in ("rank", "payer_id", "payer_control_number")}
            return await move(tx, claim, step, words=_words(row), **back)
        if step is Step.PAY and claim.status is Status.PARTIALLY_PAID:
            claim = await move(tx, claim, step, words=_words(row))
    await next_payer.prior_payer_spoke(tx, claim, row)
    return claim


def _number(claim: Claim, row: Row) -> dict[str, Any]:
    """The payer's own number of the claim, which a replacement must name: that of its latest decision."""
    number = row["data"]["payer_control_number"]
    if not number or row["entry"] == "reversal" or row["submission_id"] not in {None, claim.submission_id}:
        return {}
    return {"payer_control_number": number}


def _words(row: Row) -> str:
    data = row["data"]
    return (
        f"{row['entry']}: paid {data['paid_cents']} cents, patient {data['patient_cents']}, "
        f"contractual {data['contractual_cents']}, denied {data['denied_cents']}"
    )
