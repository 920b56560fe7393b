"""A claim is sent: its charges stand in the ledger once, and what waited for it is posted."""

import hashlib

from libs.common import telemetry
from libs.common.db import Transaction
from libs.common.events import ClaimSubmitted, ClaimUpdated, CoverageChanged, Envelope, PracticeChanged
from services.remittance import denials, ledger, post
from services.remittance.domain.era import key_of
from services.remittance.store import claims, copies
from services.remittance.store import ledger as lines

ENDS = ("void", "patient_due")
"""After these no payer is waited for."""
KIND_BY_FREQUENCY = {"7": "replacement", "8": "void"}


def member_key(tenant_id: str, member_id: str | None) -> str | None:
    """What a member id is compared by; the id itself is not kept."""
    if not member_id or not (plain := key_of(member_id)):
        return None
    return hashlib.sha256(f"{tenant_id}/{plain}".encode()).hexdigest()


async def on_claim_submitted(tx: Transaction, event: Envelope[ClaimSubmitted]) -> None:
    """The charge of each line is posted at its first submission; a replacement posts anew, a void reverses."""
    sent = event.data
    await post.lock_number(tx, sent.patient_control_number)
    if not await _record(tx, sent):
        return
    claim = await claims.lock(tx, sent.claim_id)
    assert claim is not None, "the receivable has just been added"
    follows = await claims.follow_submissions(tx, sent.claim_id)
    if follows:
        claim = await claims.under(tx, sent.claim_id, claim.account)
    restated = await ledger.restate(tx, claim, KIND_BY_FREQUENCY.get(sent.frequency, "charge"))
    if follows and restated.after == restated.before:
        await ledger.tell(tx, claim, ledger.receivable_changed(claim, restated.total))
    await denials.raise_new(tx, claim, restated)
    member = sent.sealed.member_id if sent.sealed else None
    await post.rematch(tx, pcn=sent.patient_control_number, member_key=member_key(tx.tenant, member))


async def _record(tx: Transaction, sent: ClaimSubmitted) -> bool:
    """The submission is kept with its lines; False if it was known."""
    assert sent.sealed is not None, "our own services can open what is sealed for them"
    detail = {line.line_id: line for line in sent.sealed.lines}
    first = min(line.service_date for line in sent.sealed.lines)
    await claims.add_receivable(
        tx,
        {
            "claim_id": sent.claim_id,
            "practice_id": sent.practice_id,
            "patient_id": sent.patient_id,
            "encounter_id": sent.encounter_id,
            "provider_id": sent.provider_id,
            "payer_id": sent.payer_id,
            "service_date": first,
            "first_submitted_on": sent.submitted_on,
            "traceparent": telemetry.current(),
        },
    )
    new = await claims.add_submission(
        tx,
        {
            "id": sent.submission_id,
            "claim_id": sent.claim_id,
            "practice_id": sent.practice_id,
            "payer_id": sent.payer_id,
            "rank": sent.rank,
            "attempt": sent.attempt,
            "frequency": sent.frequency,
            "pcn": sent.patient_control_number,
            "pcn_key": key_of(sent.patient_control_number),
            "member_key": member_key(tx.tenant, sent.sealed.member_id),
            "next_payer": sent.next_payer,
            "charge_cents": sent.charge_cents,
            "submitted_on": sent.submitted_on,
        },
        [
            {
                "line_id": line.line_id,
                "position": position,
                "control": line.line_control,
                "procedure": detail[line.line_id].procedure,
                "modifiers": list(detail[line.line_id].modifiers),
                "service_date": detail[line.line_id].service_date,
                "charge_cents": line.charge_cents,
                "units": line.units,
            }
            for position, line in enumerate(sent.lines, start=1)
        ],
    )
    await lines.add_lines(
        tx,
        (
            {
                "line_id": line.line_id,
                "claim_id": sent.claim_id,
                "practice_id": sent.practice_id,
                "patient_id": sent.patient_id,
                "position": position,
                "code_family": line.code_family,
                "service_date": detail[line.line_id].service_date,
            }
            for position, line in enumerate(sent.lines, start=1)
        ),
    )
    return new


async def on_claim_updated(tx: Transaction, event: Envelope[ClaimUpdated]) -> None:
    """A claim that becomes void owes nothing; what goes to the next payer is not the patient's before it answers."""
    said = event.data
    is_news = await claims.save_claim_state(
        tx,
        claim_id=said.claim_id,
        practice_id=said.practice_id,
        status=said.status,
        rank=said.rank,
        sequence=event.sequence,
    )
    kind = said.status if said.status in ENDS else "next_payer" if said.rank > 1 else None
    if not is_news or kind is None:
        return
    claim = await claims.lock(tx, said.claim_id)
    if claim is not None:
        restated = await ledger.restate(tx, claim, kind)
        await denials.raise_new(tx, claim, restated)


async def on_practice_changed(tx: Transaction, event: Envelope[PracticeChanged]) -> None:
    """A practice is known by its NPI, to which payers address its money."""
    if event.data.sealed is not None:
        await copies.save_practice(tx, event.data.practice_id, npi=event.data.sealed.npi, sequence=event.sequence)


async def on_coverage_changed(tx: Transaction, event: Envelope[CoverageChanged]) -> None:
    """It is known which payers stand behind a patient."""
    said = event.data
    await copies.save_coverage(
        tx,
        coverage_id=said.coverage_id,
        practice_id=said.practice_id,
        patient_id=said.patient_id,
        payer_id=said.payer_id,
        rank=said.rank,
        status=said.status,
        sequence=event.sequence,
    )
