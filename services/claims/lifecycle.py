"""A claim moves: saved with compare-and-set, written to its history, told as claim.updated, and its tasks follow."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.common import outbox, tasks, timers
from libs.common.clearinghouse import zone_of
from libs.common.clock import next_time
from libs.common.db import Transaction
from libs.common.events import ClaimUpdated
from services.claims import disclosure, store
from services.claims.domain import Claim, Status, Step
from services.claims.settings import SETTINGS, business_days

CUT, STILL_WAITING = "claims.submit", "claims.waiting"

WORK: Mapping[str, tuple[str, int]] = {
    "eligibility": ("front_desk", 1),
    "coverage_inactive": ("front_desk", 1),
    "member_not_found": ("front_desk", 1),
    "eligibility_rejected": ("front_desk", 1),
    "self_pay": ("front_desk", 2),
    "disclosure_hold": ("front_desk", 1),
    "authorization_missing": ("authorizations", 1),
    "authorization_exhausted": ("authorizations", 1),
    "enrollment": ("credentialing", 5),
    "provider_unknown": ("credentialing", 1),
    "practice_unknown": ("credentialing", 1),
    "practice_address": ("credentialing", 1),
    "location_unknown": ("credentialing", 1),
    "patient_address_missing": ("front_desk", 1),
    "payer_unknown": ("billing", 1),
    "charge_missing": ("billing", 1),
    "prior_payer_undecided": ("billing", 5),
    "prior_payer_unbalanced": ("billing", 2),
    "rejected": ("billing", 1),
    "held_by_person": ("billing", 5),
    "file_refused": ("operations", 0),
    "note_unsigned": ("clinician", 2),
    "up_code": ("clinician", 2),
    "time_missing": ("clinician", 2),
    "minutes_exceed_session": ("clinician", 2),
    "clinician_overlap": ("clinician", 2),
}
"""Who works on a reason, and in how many business days; every other reason is billing's, in two."""


WORDS: Mapping[str, str] = {
    disclosure.HOLD: disclosure.WORDS,
    "eligibility": "the payer has not yet said whether it covers the patient; it is asked again by itself, and "
    "eligibility's GET /v1/eligibility-checks?encounter_id= says how that stands",
    "authorization_missing": "the payer wants an authorization: enter its number and units in eligibility",
    "authorization_exhausted": "the authorization has no units left: enter the payer's next one in eligibility",
    "practice_unknown": "credentialing knows no active practice of this id",
    "practice_address": "the practice's address lacks the postal code's last four digits, which payers want",
    "provider_unknown": "credentialing knows no clinician with this NPI: enter the clinician, or correct the session",
    "location_unknown": "credentialing knows no place of this id: enter it, or correct the session",
    "prior_payer_undecided": "the payer before has taken its decision back: the claim goes on once it decides anew",
    "enrollment": "the clinician may not bill this payer on that day; credentialing's GET /v1/billability says why",
}
"""What a task says of a reason that is the same for every claim."""

REFUSED_BY_PAYER = frozenset({"member_not_found", "eligibility_rejected"})
"""Whose these are depends on what the payer refused; eligibility says it with its answer."""


def work_of(reason: str) -> tuple[str, int]:
    return WORK.get(reason, ("billing", 2))


async def move(
    tx: Transaction,
    claim: Claim,
    step: Step,
    *,
    words: str | None = None,
    findings: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> Claim:
    """The claim after `step`, saved and told; tasks that no longer hold are closed and new ones opened."""
    if step in {Step.HOLD, Step.REJECT, Step.CORRECT}:
        changes["clean"] = False
    reasons = changes.get("reasons", ())
    if step in {Step.WAIT, Step.HOLD, Step.REJECT} and reasons:
        changes.setdefault("owner", work_of(reasons[0])[0])
    if step is Step.PASS:
        changes["cut_at"] = await next_cut(tx)
    moved = claim.take(step, **changes)
    await store.save(tx, moved, findings)
    await _told(tx, moved, step.value, words)
    await _work(tx, claim, moved, words)
    return moved


async def next_cut(tx: Transaction) -> datetime:
    """When the next files go out."""
    return next_time(tx.now, SETTINGS.cut_at, await zone_of(tx))


async def _told(tx: Transaction, claim: Claim, step: str, words: str | None) -> None:
    tx.correlation_id = claim.encounter_id
    await store.remember(tx, claim, step, words)
    await outbox.add(
        tx,
        ClaimUpdated(
            claim_id=claim.id,
            encounter_id=claim.encounter_id,
            practice_id=claim.practice_id,
            patient_id=claim.patient_id,
            provider_id=claim.provider_id,
            payer_id=claim.payer_id,
            rank=claim.rank,
            status=claim.status.value,
            reasons=list(claim.reasons),
            owner=claim.owner,
            code_family=claim.code_family,
            charge_cents=claim.charge_cents,
            clean=claim.clean,
            attempts=claim.attempts,
            authorization_id=claim.authorization_id,
            authorized_units=sum(line.units for line in claim.content.lines) if claim.authorization_id else 0,
        ),
        sequence=claim.version,
    )


async def _work(tx: Transaction, before: Claim, claim: Claim, words: str | None) -> None:
    """Tasks of the claim itself follow its reasons; a claim that merely waits gets them at the next cut."""
    if claim.status is Status.READY:
        assert claim.cut_at is not None
        assert claim.payer_id is not None
        key = f"{claim.practice_id}.{claim.payer_id}.{claim.cut_at:%Y%m%dT%H%M}"
        await timers.set(tx, CUT, key, at=claim.cut_at)
    if claim.status in {Status.HELD, Status.REJECTED}:
        await open_tasks(tx, claim, words)
    if before.version:  # a new claim has no tasks yet
        await close_tasks(tx, claim)
    if claim.status is Status.WAITING and (before.status is not Status.WAITING or before.reasons != claim.reasons):
        await timers.set(tx, STILL_WAITING, claim.id, at=await next_cut(tx))
    elif before.status is Status.WAITING and claim.status is not Status.WAITING:
        await timers.clear(tx, STILL_WAITING, claim.id)


async def open_tasks(tx: Transaction, claim: Claim, words: str | None = None) -> None:
    """A task for each reason why the claim stops."""
    for reason in claim.reasons:
        owner, days = work_of(reason)
        owner = claim.owner if claim.status is Status.REJECTED or reason in REFUSED_BY_PAYER else owner
        await ask(tx, claim, reason, WORDS.get(reason, words), owner=owner, within_days=days)


async def ask(
    tx: Transaction, claim: Claim, reason: str, detail: str | None, *, owner: str = "billing", within_days: int
) -> None:
    """Somebody has work about the claim, within so many business days."""
    await tasks.open(
        tx,
        reason=reason,
        subject_type="claim",
        subject_id=claim.id,
        practice_id=claim.practice_id,
        owner=owner,
        due_on=business_days(tx.today, within_days),
        amount_cents=claim.charge_cents,
        detail=detail,
    )


async def close_tasks(tx: Transaction, claim: Claim) -> None:
    """Tasks whose reason the claim no longer has are done."""
    stands = claim.reasons if claim.status in {Status.HELD, Status.REJECTED, Status.WAITING} else ()
    open_now = await tx.all(
        sa.select(tasks.task.c.reason).where(tasks.task.c.subject_id == claim.id, tasks.task.c.status == "open")
    )
    for row in open_now:
        if row["reason"] not in stands:
            await tasks.close(tx, subject_id=claim.id, reason=row["reason"], outcome="claim_went_on")


async def still_waiting(work: timers.Work, due: timers.Due) -> None:
    """A claim that still waits at the cut has a task for each reason."""
    async with work.db.transaction(due.tenant_id) as tx:
        await timers.done(tx, due)
        claim = await store.load(tx, due.id, lock=True)
        if claim.status is Status.WAITING:
            await open_tasks(tx, claim)
