"""What a person decides about money that nobody could post: let a remittance through, refuse it, name a claim."""

import sqlalchemy as sa

from libs.common import audit, tasks
from libs.common.db import Transaction
from libs.common.problems import Conflict, FieldError, Invalid, NotFound
from services.remittance import post, receive
from services.remittance.domain.ledger import Account, Entry
from services.remittance.match import Match
from services.remittance.store import claims, queue, remittances
from services.remittance.store import ledger as journals
from services.remittance.store.remittances import WAITING


async def decide_remittance(tx: Transaction, era_id: str, *, decision: str, reason: str) -> None:
    """A remittance that needs a person is posted with its difference in suspense, or refused for good."""
    era = await remittances.lock_era(tx, era_id)
    if era is None or not queue.is_shown(tx, era["practice_id"]):
        raise NotFound
    if era["status"] != "needs_decision":
        raise Conflict(detail="Only a remittance that needs a decision can be decided about.")
    status = "received" if decision == "post" else "refused"
    try:
        async with tx.savepoint():
            await remittances.update_era(
                tx, era_id, status=status, decision=decision, decided_by=tx.actor, decided_at=tx.now
            )
    except sa.exc.IntegrityError:
        raise Conflict("payment_posted", "The same payment with the same claims is posted already.") from None
    await audit.record(tx, f"remittance.{decision}", "remittance", era_id, reason, practice_id=era["practice_id"])
    await tasks.close(tx, subject_id=era_id, outcome=decision)
    if decision == "post":
        await receive.accept(tx, era_id)


async def dismiss(tx: Transaction, era_claim_id: str, reason: str) -> None:
    """A waiting answer is about nothing of ours: it waits no longer, its money stands in suspense under its own name.

    Raises NotFound, Conflict (it does not wait).
    """
    found = await remittances.answer(tx, era_claim_id)
    if found is None or not queue.is_shown(tx, found.practice_id):
        raise NotFound
    if not await remittances.settle(tx, era_claim_id, status="dismissed", reason=found.reason, only=WAITING):
        raise Conflict(detail="This answer does not wait.")
    if found.claim.paid_cents:
        entries = [
            Entry(account=Account.SUSPENSE, amount_cents=found.claim.paid_cents, reference=found.era_id),
            Entry(account=Account.SUSPENSE, amount_cents=-found.claim.paid_cents, reference=f"{found.id}/dismissed"),
        ]
        await journals.write_journal(
            tx, "dismissal", entries, practice_id=found.practice_id, era_id=found.era_id, payer_id=found.payer_id
        )
    await audit.record(tx, "answer.dismiss", "era_claim", era_claim_id, reason, practice_id=found.practice_id)
    await tasks.close(tx, subject_id=era_claim_id, outcome="dismissed")
    await post.settle_era(tx, found.era_id)


async def name_claim(tx: Transaction, era_claim_id: str, claim_id: str) -> str:
    """A waiting answer is posted to the claim that a person names; returns what became of it."""
    found = await remittances.answer(tx, era_claim_id)
    if found is None or not queue.is_shown(tx, found.practice_id):
        raise NotFound
    if found.status != WAITING:
        raise Conflict(detail="This answer does not wait.")
    if found.reason in ("unbalanced", "negative_payment"):
        raise Conflict("unbalanced", "Its amounts do not add up; naming a claim does not mend that.")
    sent = await claims.submissions_of(tx, claim_id)
    if not sent:
        raise Invalid([FieldError("/claim_id", "claim_unknown", "No claim of this id has been sent.")])
    status = await post.post(tx, era_claim_id, named=Match(submission=sent[-1], method="named"))
    if status != "posted":
        again = await remittances.answer(tx, era_claim_id)
        reason = again.reason if again is not None and again.reason else "lines_unmatched"
        raise Conflict(reason, post.TASKS[reason][1])
    return status
