"""A denial becomes a case: what really went wrong, what to do next, until when, and whose work it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from libs.codes import adjustments, payers, remarks
from libs.common import outbox, tasks
from libs.common.db import Row, Transaction
from libs.common.events import DenialRaised, DenialResolved, Envelope
from libs.common.problems import NotFound
from services.claims import scrub, store, tables
from services.claims.domain import Claim
from services.claims.settings import business_days

OWNER: Mapping[str, str] = {
    "eligibility": "front_desk",
    "patient_data": "front_desk",
    "cob": "front_desk",
    "authorization": "authorizations",
    "referral": "authorizations",
    "credentialing_enrollment": "credentialing",
    "provider_data": "credentialing",
    "documentation": "clinician",
    "medical_necessity": "clinician",
}
"""Who works on a category; every other is billing's."""
WRONG_PAYER = frozenset({"109", "254", "270", "280", "289", "300", "301", "B11"})
LIVE = ("open", "correcting", "resubmitted", "appealed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is behind a payer's code, as far as our own records can tell."""

    category: str
    root_cause: str
    action: str
    """corrected_claim, new_claim, other_payer, appeal, bill_patient or decide."""
    steps: list[str]
    evidence: dict[str, Any] = field(default_factory=dict)


async def on_denial(tx: Transaction, event: Envelope[DenialRaised]) -> None:
    """The case is open with its root cause, its next step and a task; earlier cases of the line are superseded."""
    data = event.data
    claim = await store.load(tx, data.claim_id, lock=True)
    found = await diagnose(tx, claim, data)
    payer = payers.payer(data.payer_id, claim.service_date) if payers.knows(data.payer_id) else None
    correct_by = _deadline(data.raised_on, payer.corrected_days if payer else 90)
    appeal_by = _deadline(data.raised_on, payer.appeal_days if payer else 90)
    await _supersede(tx, claim, data)
    row = await tx.first(
        pg.insert(tables.denial)
        .values(
            id=data.denial_id,
            tenant_id=tx.tenant,
            practice_id=data.practice_id,
            claim_id=claim.id,
            line_id=data.line_id,
            submission_id=claim.submission_id,
            payer_id=data.payer_id,
            group_code=data.group_code,
            reason_code=data.reason_code,
            remark_codes=list(data.remark_codes),
            amount_cents=data.denied_cents,
            payer_control_number=data.payer_control_number,
            category=found.category,
            root_cause=found.root_cause,
            evidence=found.evidence,
            action=found.action,
            steps=found.steps,
            owner=OWNER.get(found.category, "billing"),
            correct_by=correct_by,
            appeal_by=appeal_by,
            first_pass=data.first_pass,
            status="open",
            version=1,
            raised_on=data.raised_on,
            created_at=tx.now,
            updated_at=tx.now,
        )
        .on_conflict_do_nothing()
        .returning(*tables.denial.c)
    )
    if row is not None:
        await open_task(tx, row)


def _deadline(raised_on: date, days: int) -> date:
    return raised_on + timedelta(days=days)


async def open_task(tx: Transaction, row: Row) -> None:
    """Somebody has the case to work on, well before its deadline."""
    limit = row["appeal_by"] if row["action"] == "appeal" else row["correct_by"]
    await tasks.open(
        tx,
        reason=f"denial_{row['category']}",
        subject_type="denial",
        subject_id=row["id"],
        practice_id=row["practice_id"],
        owner=row["owner"],
        due_on=min(limit, business_days(max(tx.today, row["raised_on"]), 5)),
        amount_cents=row["amount_cents"],
        detail=f"{row['group_code']}-{row['reason_code']} on {row['claim_id']}: {row['root_cause']}; {row['action']}",
    )


async def _supersede(tx: Transaction, claim: Claim, data: DenialRaised) -> None:
    """The payer has looked at the line again: what it said before is history."""
    earlier = await tx.all(
        sa.select(tables.denial).where(
            tables.denial.c.claim_id == claim.id,
            tables.denial.c.line_id == data.line_id,
            tables.denial.c.id != data.denial_id,
            tables.denial.c.status.in_(("correcting", "resubmitted", "appealed")),
            tables.denial.c.raised_on <= data.raised_on,
        )
    )
    for row in earlier:
        await set_status(tx, row, "superseded")


async def diagnose(tx: Transaction, claim: Claim, data: DenialRaised) -> Diagnosis:
    """The root cause from the reason, its remarks, and what we know ourselves."""
    known = adjustments.reason(data.reason_code, claim.service_date)
    said = [remark for code in data.remark_codes if (remark := remarks.remark(code, claim.service_date))]
    category = known.category if known else "other"
    if said and (known is None or data.reason_code in {"16", "96", "A1"} or category == "other"):
        category = said[0].category
    fix = known.fix.value if known else "appeal"
    if data.reason_code in WRONG_PAYER:
        return await _wrong_payer(tx, claim)
    if category == "authorization":
        return await _authorization(tx, claim, fix)
    if category in {"credentialing_enrollment", "provider_data"}:
        return await _enrollment(tx, claim, category, fix)
    meaning = known.meaning if known else "a reason that we do not know"
    steps = [known.action if known else "read the remark codes", *[remark.action for remark in said]]
    new = bool(set(data.remark_codes) & remarks.SEND_NEW)
    action = {"correct": "new_claim" if new else "corrected_claim", "appeal": "appeal"}.get(fix, "decide")
    if data.group_code == "PR" and fix == "none":
        action = "bill_patient"
    return Diagnosis(category=category, root_cause=_cause(data.reason_code, meaning), action=action, steps=steps)


def _cause(code: str, meaning: str) -> str:
    return f"as the payer says ({code}): {meaning}"


async def _wrong_payer(tx: Transaction, claim: Claim) -> Diagnosis:
    payer = payers.payer(claim.payer_id, claim.service_date) if claim.payer_id else None
    to = payer.carves_out_to if payer else None
    answer = await store.known(tx, "eligibility", claim.encounter_id)
    told = bool(answer and answer["carved_out"])
    return Diagnosis(
        category="eligibility",
        root_cause="behavioral health is administered by another payer" if to else "claim went to the wrong payer",
        action="other_payer",
        steps=[f"send an original claim to {to}" if to else "find the right payer and send an original claim"],
        evidence={"administrator": to, "carve_out_in_271": told},
    )


async def _authorization(tx: Transaction, claim: Claim, fix: str) -> Diagnosis:
    """No number on the claim is our own slip where an authorization covers the day; else there was none."""
    answer = await store.known(tx, "eligibility", claim.encounter_id)
    sent = claim.content.authorization_number or ((answer or {}).get("sealed") or {}).get("authorization_number")
    held = [
        one
        for one in await store.known_by(tx, "authorization", claim.patient_id)
        if one.get("sealed") and one["payer_id"] == claim.payer_id and scrub.covers(one["sealed"], claim.service_date)
    ]
    evidence = {"number_on_claim": sent is not None, "authorizations_on_file": [o["authorization_id"] for o in held]}
    if held and not sent:
        cause, action = "an authorization is on file and its number was not on the claim", "corrected_claim"
        steps = ["put the authorization's number on the claim and send it again"]
    elif held:
        cause, action = "the authorization on file does not fit the service, its dates or its units", "corrected_claim"
        steps = ["compare codes, units and dates with the authorization", "have it changed, then correct the claim"]
    else:
        cause, action = "no authorization was obtained before the service", "appeal"
        steps = ["ask the payer for a retroactive authorization", "correct the claim with its number, or appeal"]
    return Diagnosis(category="authorization", root_cause=cause, action=action, steps=steps, evidence=evidence)


async def _enrollment(tx: Transaction, claim: Claim, category: str, fix: str) -> Diagnosis:
    """Either our records agree that the clinician could not bill, or the payer has not loaded what was agreed."""
    row = await store.encounter(tx, claim.encounter_id)
    location = row["detail"]["providers"].get("facility_id")
    ours = bool(
        claim.provider_id
        and claim.payer_id
        and await scrub.billable(tx, claim, claim.provider_id, claim.payer_id, location)
    )
    if ours:
        cause = "the payer has not loaded a clinician who is enrolled on the date of service"
        steps = ["send the payer its own confirmation of the enrollment", "have the claim processed again, or correct"]
    else:
        cause = "the clinician was not enrolled with the payer on the date of service"
        steps = ["ask for an earlier effective date", "send the claim again once it is granted"]
    action = "corrected_claim" if fix == "correct" else "appeal"
    return Diagnosis(
        category=category, root_cause=cause, action=action, steps=steps, evidence={"enrolled_in_our_records": ours}
    )


async def load(tx: Transaction, denial_id: str, *, lock: bool = False) -> Row:
    """The case as it stands. Raises NotFound."""
    select = sa.select(tables.denial).where(tables.denial.c.id == denial_id)
    row = await tx.first(select.with_for_update() if lock else select)
    if row is None:
        raise NotFound("There is no such denial.")
    return row


async def of_claim(tx: Transaction, claim_id: str, *statuses: str) -> list[Row]:
    """The claim's cases in these states, oldest first."""
    rows = await tx.all(
        sa.select(tables.denial)
        .where(tables.denial.c.claim_id == claim_id, tables.denial.c.status.in_(statuses))
        .order_by(tables.denial.c.created_at, tables.denial.c.id)
        .with_for_update()
    )
    return list(rows)


async def set_status(tx: Transaction, row: Row, status: str) -> int:
    """The case has the status; whoever had a task for it is done unless it is open. Returns its version."""
    version = row["version"] + 1
    await tx.execute(
        tables.denial.update()
        .where(tables.denial.c.id == row["id"])
        .values(status=status, version=version, updated_at=tx.now)
    )
    if status != "open":
        await tasks.close(tx, subject_id=row["id"], outcome=status)
    return int(version)


async def resolve(tx: Transaction, row: Row, resolution: str, status: str | None = None) -> None:
    """The case moved, and everybody has been told."""
    version = await set_status(tx, row, status or resolution)
    await outbox.add(
        tx,
        DenialResolved(
            claim_id=row["claim_id"],
            denial_id=row["id"],
            practice_id=row["practice_id"],
            resolution=resolution,
            amount_cents=row["amount_cents"],
            line_ids=[row["line_id"]],
        ),
        sequence=version,
    )


async def answered(tx: Transaction, claim: Claim, posted: Mapping[str, Any]) -> None:
    """Cases whose line the payer has now paid, or left to the patient, are overturned."""
    settled = {
        line["line_id"]
        for line in posted["lines"]
        if line["denied_cents"] <= 0 and (line["paid_cents"] > 0 or line["patient_cents"] > 0)
    }
    tx.correlation_id = claim.encounter_id
    for row in await of_claim(tx, claim.id, *LIVE):
        earlier = row["raised_on"] < date.fromisoformat(posted["paid_on"])
        if row["line_id"] in settled and (earlier or row["status"] != "open"):
            await resolve(tx, row, "overturned")
