"""What other services learn of a session: eligibility.checked, whenever what it says has changed."""

from libs.common import outbox, telemetry
from libs.common.db import Row, Transaction
from libs.common.events.eligibility import CheckedIdentity, EligibilityChecked
from services.eligibility import store
from services.eligibility import tables as t


async def checked(tx: Transaction, encounter_id: str) -> None:
    """eligibility.checked is out if what it says differs from what it said last; nothing before there is a finding."""
    row = await store.find(tx, t.encounter, encounter_id, lock=True)
    if row is None or row["finding"] is None:
        return
    finding = row["finding"]
    identity = finding.get("identity")
    sealed = None
    if identity is not None:
        number = await _number(tx, row)
        sealed = CheckedIdentity.model_validate({**identity, "authorization_number": number})
    names = ("copay_cents", "estimate_cents", "deductible_left_cents", "visits_left")
    event = EligibilityChecked(
        encounter_id=row["id"],
        check_id=finding["check_id"],
        patient_id=row["patient_id"],
        practice_id=row["practice_id"],
        coverage_id=finding["coverage_id"],
        payer_id=finding["payer_id"],
        bill_payer_id=finding["bill_payer_id"],
        outcome=finding["outcome"],
        reject_reasons=finding.get("reject_reasons", []),
        owner=finding.get("owner"),
        carved_out=finding.get("carved_out", False),
        authorization=row["authorization"] or finding["need"],
        authorization_id=row["authorization_id"],
        sealed=sealed,
        **{name: finding.get(name) for name in names},
    )
    told = event.model_dump(mode="json")
    if told == row["told"]:
        return
    sequence = row["told_sequence"] + 1
    await store.update(tx, t.encounter, encounter_id, {"told": told, "told_sequence": sequence})
    before, tx.correlation_id = tx.correlation_id, encounter_id
    with telemetry.share("eligibility.checked", row["traceparent"]):
        await outbox.add(tx, event, sequence=sequence)
    tx.correlation_id = before


async def _number(tx: Transaction, encounter: Row) -> str | None:
    """The number that the claim carries: of the authorization with the units, else the one that the EHR named."""
    if encounter["authorization_id"] is not None:
        found = await store.authorization(tx, encounter["authorization_id"])
        return found.number if found else None
    named: str | None = encounter["authorization_number"]
    return named
