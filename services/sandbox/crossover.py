"""A payer passes a decided claim on to the next one, as Medicare does: the provider sends nothing, and is told so."""

from dataclasses import replace
from datetime import datetime

from libs.common.db import Transaction
from services.sandbox import enrolment, store
from services.sandbox.claims837 import Claim, Person, PriorLine
from services.sandbox.decisions import Decision
from services.sandbox.pay import adjudication_time
from services.sandbox.plans import Payer, payers
from services.sandbox.store import FiledClaim

PASSED_ON = "19"


async def pass_on(tx: Transaction, payer: Payer, one: FiledClaim, decision: Decision, at: datetime) -> Decision:
    """The decision as it is told; where a scenario wants it, and the next payer knows the member, that one has the
    claim with all that was decided on it.
    """
    wanted = one.faults.get("crossover")
    following = payers().get(str(wanted.get("next_payer_id"))) if wanted else None
    if wanted is None or following is None or one.claim.sequence != "P":
        return decision
    member_id = str(wanted.get("next_member_id"))
    if member_id not in await enrolment.members(tx, following.payer_id, {member_id}):
        return decision
    claim = passed_on(one.claim, payer, decision, following, member_id)
    await store.file_claim(
        tx,
        FiledClaim(
            icn=await store.free_number(tx, following, at.date(), one.icn, member_id),
            payer_id=following.payer_id,
            submitter_id=one.submitter_id,
            file_id=one.file_id,
            claim=claim,
            member_id=member_id,
            attempt=1,
            position=one.position,
            received_at=at,
            adjudicate_at=adjudication_time(at),
            faults={},
        ),
    )
    return replace(decision, status=PASSED_ON, passed_on_to=following.payer_id)


def passed_on(claim: Claim, payer: Payer, decision: Decision, following: Payer, member_id: str) -> Claim:
    """The claim as the next payer gets it: its own member, and on each line what the first has decided."""
    decided = {part.line.number: part for part in decision.lines}
    lines = tuple(
        replace(
            line,
            prior=(
                PriorLine(
                    payer=payer.edi_id,
                    paid_cents=decided[line.number].paid_cents,
                    adjustments=decided[line.number].adjustments,
                ),
            ),
        )
        for line in claim.lines
    )
    subscriber = replace(claim.subscriber, id=member_id)
    return replace(
        claim,
        sequence="S",
        payer=Person(last=following.name, id=following.edi_id, organisation=True),
        subscriber=subscriber,
        patient=subscriber if claim.patient == claim.subscriber else claim.patient,
        filing_code=following.claim_filing,
        authorization="",
        prior_payer=payer.edi_id,
        prior_paid_cents=decision.paid_cents,
        lines=lines,
    )
