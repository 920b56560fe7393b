"""What a payer leaves to the patient goes to the next one: by a claim of ours, or passed on by the payer itself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from libs.codes import payers
from libs.common import tasks, timers
from libs.common.clearinghouse import zone_of
from libs.common.clock import at_hour
from libs.common.db import Row, Transaction
from libs.common.problems import Conflict
from services.claims import coverages, learn, prior_payers, scrub, store, tables
from services.claims.coverages import Coverage
from services.claims.domain import Claim, Status, Step
from services.claims.lifecycle import ask, move
from services.claims.settings import SETTINGS, business_days

UNANSWERED = "claims.next_payer_unanswered"
CHANGED = "prior_payer_changed"
NOT_YET_ASKED = (Status.DRAFT, Status.WAITING, Status.HELD, Status.READY, Status.REJECTED, Status.FORWARDED)
ASKED_AGAIN = (Status.PAID, Status.PARTIALLY_PAID, Status.PATIENT_DUE, Status.CLOSED)


async def go_on(
    tx: Transaction, claim: Claim, posted: Mapping[str, Any], words: str, *, more_cents: int = 0
) -> Claim | None:
    """The claim on its way to who pays next; None where nothing is left to the patient, or the patient is next.

    `more_cents` is what a person left to the patient beside it. What waited for a payer that is none any more is the
    patient's.
    """
    buckets, awaits = posted["buckets"], posted.get("awaits_next_cents", 0)
    if not awaits + more_cents + buckets["patient_cents"] + buckets["patient_paid_cents"]:
        return None
    rank = max(claim.rank, posted["rank"])
    following = await coverages.after(tx, claim, rank)
    if posted["forwarded"]:
        return await _forward(tx, claim, rank, following, words)
    if following is not None:
        return await _bill(tx, claim, following, words)
    return await move(tx, claim, Step.LEAVE_TO_PATIENT, words=words) if awaits else None


async def _forward(tx: Transaction, claim: Claim, rank: int, following: Coverage | None, words: str) -> Claim:
    """The payer has passed the claim on; nothing of ours is sent, and an answer is expected."""
    claim = await move(
        tx,
        claim,
        Step.FORWARD,
        rank=following.rank if following else rank + 1,
        payer_id=following.payer_id if following else None,
        payer_control_number=None,
        words=f"{words}; passed on by the payer",
    )
    await expect(tx, claim)
    return claim


async def _bill(tx: Transaction, claim: Claim, coverage: Coverage, words: str) -> Claim:
    """The claim is scrubbed for the payer; what a person or an authorization said for the one before is left behind.

    A payer that has decided on it gets a replacement where it takes one, else a new original.
    """
    answered = [one for one in await prior_payers.standing(tx, claim) if one["rank"] == coverage.rank]
    takes = payers.knows(coverage.payer_id) and payers.payer(coverage.payer_id, claim.service_date).takes_replacement
    number = answered[-1]["payer_control_number"] if answered and takes else None
    content = replace(
        claim.content, route_payer_id=None, route_member_id=None, authorization_number=None, only_lines=()
    )
    claim = await move(
        tx,
        claim,
        Step.BILL_NEXT,
        rank=coverage.rank,
        payer_id=coverage.payer_id,
        frequency="7" if number else "1",
        payer_control_number=number or None,
        content=content,
        words=f"{words}; goes to {coverage.payer_id}",
    )
    return await scrub.run(tx, claim.id)


async def after_denials(tx: Transaction, claim: Claim, words: str, *, more_cents: int) -> Claim | None:
    """The last case of the claim is settled: what is the patient's goes on to who pays next, as after any decision."""
    posted = await _last_payment(tx, claim)
    return None if posted is None else await go_on(tx, claim, posted, words, more_cents=more_cents)


async def _last_payment(tx: Transaction, claim: Claim) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = await tx.scalar(
        sa.select(tables.posting.c.data)
        .where(tables.posting.c.claim_id == claim.id, tables.posting.c.entry != "reversal")
        .order_by(tables.posting.c.sequence.desc(), tables.posting.c.posting_id.desc())
        .limit(1)
    )
    return found


async def prior_payer_spoke(tx: Transaction, claim: Claim, row: Row) -> None:
    """An earlier payer has decided anew: what has not gone out carries that, else a person sends it once more.

    A decision that the payer has itself passed on is known to the later one, even where that one's answer came first.
    """
    if claim.status in scrub.SCRUBBED:
        await learn.scrub_later(tx, [claim.id])
    elif row["entry"] == "payment" and claim.status is not Status.FORWARDED and not row["data"]["forwarded"]:
        await tasks.open(
            tx,
            reason=CHANGED,
            subject_type="posting",
            subject_id=row["posting_id"],
            practice_id=claim.practice_id,
            owner="billing",
            due_on=business_days(tx.today, 5),
            amount_cents=claim.charge_cents,
            detail=f"an earlier payer of {claim.id} has decided anew; send the claim to {claim.payer_id} again",
        )


async def expect(tx: Transaction, claim: Claim) -> None:
    """Somebody asks after the claim if its later payer has not answered in time."""
    due_on = tx.today + timedelta(days=SETTINGS.next_payer_days)
    await timers.set(tx, UNANSWERED, claim.id, at=at_hour(due_on, SETTINGS.silence_at, await zone_of(tx)))


async def unanswered(work: timers.Work, due: timers.Due) -> None:
    """A later payer that has not answered in time is somebody's work."""
    async with work.db.transaction(due.tenant_id) as tx:
        claim = await store.load(tx, due.id)
        waits = claim.status in (Status.SUBMITTED, Status.ACCEPTED, Status.FORWARDED)
        if claim.rank > 1 and waits:
            passed_on = "passed on by the payer before it" if claim.status is Status.FORWARDED else "sent"
            detail = f"it was {passed_on} {SETTINGS.next_payer_days} days ago, and nobody has answered"
            await ask(tx, claim, "next_payer_unanswered", detail, within_days=2)
        await timers.done(tx, due)


async def again(work: timers.Work, due: timers.Due) -> None:
    """Another coverage has become known: what was left to the patient goes to its payer."""
    async with work.db.transaction(due.tenant_id) as tx:
        await timers.done(tx, due)
        claim = await store.load(tx, due.id, lock=True)
        posted = await _last_payment(tx, claim)
        if claim.status in (Status.PAID, Status.PATIENT_DUE) and posted is not None and not posted["forwarded"]:
            await go_on(tx, claim, posted, "another coverage has become known")


async def bill(tx: Transaction, claim_id: str, why: str) -> Claim:
    """A person sends the claim to who pays next, or once more to a later payer that has decided.

    Raises Conflict where nobody pays after this payer, or the claim is still with it.
    """
    claim = await store.load(tx, claim_id, lock=True)
    coverage = await coverages.after(tx, claim, claim.rank)
    if claim.status is Status.FORWARDED:
        coverage = await coverages.at(tx, claim, claim.rank) or coverage
    elif coverage is None and claim.rank > 1 and claim.status in ASKED_AGAIN:
        coverage = await coverages.at(tx, claim, claim.rank)
    if not claim.can(Step.BILL_NEXT) or claim.status in (Status.IN_DOUBT, Status.SUBMITTED, Status.ACCEPTED):
        raise Conflict("state_conflict", f"A claim that is {claim.status} does not go to another payer.")
    if coverage is None:
        raise Conflict("no_next_payer", "The patient has no coverage after this one on the date of service.")
    if not await prior_payers.decisions(tx, replace(claim, rank=coverage.rank)):
        raise Conflict("prior_payer_undecided", "No payer has decided on this claim yet.")
    for row in await tx.all(sa.select(tables.posting.c.posting_id).where(tables.posting.c.claim_id == claim.id)):
        await tasks.close(tx, subject_id=row["posting_id"], reason=CHANGED, outcome="sent_again")
    return await _bill(tx, claim, coverage, why)


async def leave_to_patient(tx: Transaction, claim_id: str, why: str) -> Claim:
    """A person gives up the next payer: what the ones before left is the patient's."""
    claim = await store.load(tx, claim_id, lock=True)
    if claim.rank == 1 or claim.status not in NOT_YET_ASKED:
        raise Conflict("state_conflict", "Only what goes to a later payer, and is not with it, is left to the patient.")
    return await move(tx, claim, Step.LEAVE_TO_PATIENT, words=why)
