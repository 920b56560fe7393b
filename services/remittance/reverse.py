"""A payer takes a decision back: the ledger mirrors it as a new entry, and the correction follows as its own."""

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from libs.common import tasks, telemetry
from libs.common.db import Transaction
from libs.common.ids import new_id
from services.remittance import decision, denials, ledger
from services.remittance.domain.decide import LineDecision
from services.remittance.domain.era import negated
from services.remittance.ledger import DAYS_TO_LOOK_AT_IT, OWNER
from services.remittance.match import Match, find
from services.remittance.store import claims, remittances
from services.remittance.store import ledger as journals
from services.remittance.store.claims import Receivable
from services.remittance.store.remittances import Answer, Posting


async def post_reversal(tx: Transaction, found: Answer) -> str | None:
    """The original counts no longer, by a linked entry; else the reason why the reversal waits."""
    candidates = await _candidates(tx, found)
    if not candidates:
        return "reversal_unmatched"
    claim = await claims.lock(tx, candidates[0].claim_id)
    assert claim is not None, "a posting has a receivable"
    if not found.may_be_about(claim.practice_id):
        return "reversal_unmatched"
    with telemetry.share("remittance.reversal", claim.traceparent):
        return await _reversed(tx, found, candidates, claim)


async def _reversed(tx: Transaction, found: Answer, candidates: list[Posting], claim: Receivable) -> str | None:
    live = {one.id for one in await remittances.live_postings(tx, claim_id=claim.claim_id)}
    candidates = [one for one in candidates if one.id in live]
    if not candidates:
        return "reversal_unmatched"
    mirrored = replace(found, claim=negated(found.claim))
    for original in candidates:
        sent = await claims.submission(tx, original.submission_id)
        decided = await decision.lines_decided(tx, mirrored, Match(submission=sent, method="icn"))
        if not isinstance(decided, str) and await _mirrors(tx, original, decided):
            break
    else:
        return "reversal_differs"
    posted = await _store(tx, found, original, claim.practice_id, decided)
    await remittances.mark_reversed(tx, original.id, by=posted.posting_id)
    await remittances.settle(
        tx, found.id, status="posted", reason=None, claim_id=claim.claim_id, submission_id=sent.id,
        practice_id=claim.practice_id, match="icn" if found.claim.original_icn == original.icn else "pcn",
    )  # fmt: skip
    restated = await ledger.restate(
        tx, claim, "reversal", era_id=found.era_id, posting_id=posted.posting_id,
        reverses=await journals.journal_of_posting(tx, original.id),
    )  # fmt: skip
    await decision.tell_posted(tx, found, claim, restated, posted, posted.outcome)
    await denials.raise_new(tx, claim, restated)
    return None


async def _candidates(tx: Transaction, found: Answer) -> list[Posting]:
    """The payments of one claim that may be meant: by the payer's number, then by our control number."""
    candidates = await remittances.live_postings(tx, icn=found.claim.original_icn) if found.claim.original_icn else []
    if found.payer_id is not None:
        candidates = [one for one in candidates if one.payer_id == found.payer_id]
    if not candidates:
        matched = await find(tx, found.claim, found.payer_id)
        if matched is None:
            return []
        candidates = await remittances.live_postings(tx, submission_id=matched.submission.id)
    return [one for one in candidates if one.claim_id == candidates[0].claim_id]


async def _mirrors(tx: Transaction, original: Posting, decided: list[LineDecision]) -> bool:
    """Every line's charge, payment and patient's share are those of the original."""
    were = await remittances.lines_of_posting(tx, original.id)
    return were.keys() == {line.line_id for line in decided} and all(
        (were[line.line_id]["charge_cents"], were[line.line_id]["paid_cents"], were[line.line_id]["patient_cents"])
        == (line.charge_cents, line.paid_cents, line.classes.patient)
        for line in decided
    )


async def _store(
    tx: Transaction, found: Answer, original: Posting, practice_id: str, decided: list[LineDecision]
) -> decision.Posted:
    posted = decision.Posted(
        posting_id=new_id("pst"),
        submission_id=original.submission_id,
        payer_id=original.payer_id,
        rank=original.rank,
        entry="reversal",
        outcome="reversed",
    )
    await remittances.add_posting(
        tx,
        {
            "id": posted.posting_id,
            "era_id": found.era_id,
            "era_claim_id": found.id,
            "practice_id": practice_id,
            "claim_id": original.claim_id,
            "submission_id": original.submission_id,
            "payer_id": original.payer_id,
            "rank": original.rank,
            "attempt": original.attempt,
            "entry": posted.entry,
            "outcome": posted.outcome,
            "clp02": found.claim.status,
            "icn": found.claim.icn,
            "paid_cents": found.claim.paid_cents,
            "paid_on": found.paid_on,
            "forwarded": False,
            "first_pass": False,
            "ordering": found.ordering,
            "reverses": original.id,
        },
        [decision.line_row(line, sign=-1) for line in decided],
    )
    return posted


async def review_takebacks(tx: Transaction, era_id: str) -> None:
    """A person looks at claims of which a remittance took a payment back without deciding anew."""
    rows = await tx.all(_TAKEN_BACK, {"tenant": tx.tenant, "era": era_id})
    for row in rows:
        await tasks.open(
            tx,
            reason="takeback_without_correction",
            subject_type="claim",
            subject_id=row["claim_id"],
            practice_id=row["practice_id"],
            owner=OWNER,
            due_on=tx.today + timedelta(days=DAYS_TO_LOOK_AT_IT),
            amount_cents=abs(row["paid_cents"]),
            detail="the payer took its payment back and has not decided anew",
        )


_TAKEN_BACK = sa.text("""
    select r.claim_id, r.practice_id, r.paid_cents from posting r
    where r.tenant_id = :tenant and r.era_id = :era and r.entry = 'reversal' and not exists (
        select 1 from posting p where p.tenant_id = r.tenant_id and p.claim_id = r.claim_id
            and p.entry = 'payment' and p.reversed_by is null
    ) order by r.ordering
""")
