"""A payer's answer on a claim goes to the ledger, or waits with the reason named while its neighbours post."""

from datetime import timedelta

from libs.common import tasks, timers
from libs.common.crashpoints import crashpoint
from libs.common.db import Transaction
from libs.common.timers import Due, Work
from services.remittance import balance, decision, reverse, withholds
from services.remittance.domain.era import NOT_OURS, PREDETERMINATION, key_of
from services.remittance.ledger import DAYS_TO_LOOK_AT_IT, OWNER
from services.remittance.match import Match
from services.remittance.store import remittances
from services.remittance.store.remittances import REMATCHED, WAITING, Answer

KIND = "remittance.post"
TASKS = {
    "unmatched": ("era_claim_unmatched", "no claim of ours carries this control number; name the claim by hand"),
    "lines_unmatched": ("era_claim_unmatched", "the claim is known, but one of its lines fits none or several of ours"),
    "charge_differs": ("era_claim_unmatched", "the claim is known, but was sent with another charge"),
    "reversal_unmatched": ("era_claim_unmatched", "a payment is taken back that was never posted"),
    "reversal_differs": ("era_claim_unmatched", "a payment is taken back with other amounts than it had"),
    "negative_payment": ("era_claim_unbalanced", "a payment is below zero and is not a reversal"),
    "unbalanced": ("era_claim_unbalanced", "the amounts of the claim do not add up"),
}
"""The task for each reason to wait, and what a person should know."""


async def post_remittance(work: Work, due: Due) -> None:
    """Every claim of the remittance is posted or waits; each in a transaction of its own, in the order of the file."""
    async with work.db.transaction(due.tenant_id) as tx:
        left = await remittances.unposted(tx, due.id)
    for era_claim_id in left:
        async with work.db.transaction(due.tenant_id) as tx:
            await post(tx, era_claim_id)
        crashpoint("era.posting")
    async with work.db.transaction(due.tenant_id) as tx:
        await reverse.review_takebacks(tx, due.id)
        await withholds.give_back(tx, due.id)
        await settle_era(tx, due.id)
        await timers.done(tx, due)


async def settle_era(tx: Transaction, era_id: str) -> None:
    """The remittance is posted once none of its claims waits."""
    era = await remittances.lock_era(tx, era_id)
    if era is None or era["status"] not in ("received", WAITING):
        return
    if await remittances.count_claims(tx, era_id, "received"):
        return
    status = WAITING if await remittances.count_claims(tx, era_id, WAITING) else "posted"
    if status != era["status"]:
        await remittances.update_era(tx, era_id, status=status)


async def post(tx: Transaction, era_claim_id: str, *, named: Match | None = None) -> str:
    """The claim of a remittance is posted, or waits; returns which. `named`: a person says which claim it is."""
    found = await remittances.answer(tx, era_claim_id)
    if found is None or found.status not in ("received", WAITING):
        return "gone"
    if found.claim.status in (PREDETERMINATION, NOT_OURS):
        await remittances.settle(tx, found.id, status="information", reason=_INFORMATION[found.claim.status])
        return "information"
    if differences := balance.claim_differences(found.claim):
        return await wait(tx, found, "unbalanced", words="; ".join(one.words for one in differences))
    await lock_number(tx, found.claim.pcn)
    if found.claim.is_reversal:
        reason = await reverse.post_reversal(tx, found)
    else:
        reason = await decision.post_payment(tx, found, named)
    if reason:
        return await wait(tx, found, reason)
    await _done(tx, found)
    return "posted"


_INFORMATION = {PREDETERMINATION: "predetermination", NOT_OURS: "forwarded_unprocessed"}


async def lock_number(tx: Transaction, pcn: str) -> None:
    """Nobody else matches this control number meanwhile: neither a submission nor an answer can miss the other."""
    if key := key_of(pcn):
        await remittances.lock(tx, f"pcn/{key}")


async def wait(tx: Transaction, found: Answer, reason: str, *, words: str | None = None) -> str:
    """The claim of a remittance waits in the queue, its money in suspense, and a person has a task."""
    await remittances.settle(tx, found.id, status=WAITING, reason=reason)
    task, detail = TASKS[reason]
    await tasks.open(
        tx,
        reason=task,
        subject_type="era_claim",
        subject_id=found.id,
        practice_id=found.practice_id,
        owner=OWNER,
        due_on=tx.today + timedelta(days=DAYS_TO_LOOK_AT_IT),
        amount_cents=abs(found.claim.paid_cents),
        detail=words or detail,
    )
    return WAITING


async def _done(tx: Transaction, found: Answer) -> None:
    """Nothing about this claim of the remittance waits any more, nor what waited for it."""
    if found.status == WAITING:
        await tasks.close(tx, subject_id=found.id, outcome="posted")
        await settle_era(tx, found.era_id)
    if not found.claim.is_reversal:
        await rematch(tx, icn=found.claim.icn)


async def rematch(tx: Transaction, *, pcn: str = "", member_key: str | None = None, icn: str = "") -> None:
    """What waited for a claim or payment that is now known is posted, in the order in which payers decided."""
    ids = await remittances.waiting(tx, pcn_key=key_of(pcn), member_key=member_key, icn=icn, reasons=REMATCHED)
    for era_claim_id in ids:
        await post(tx, era_claim_id)
