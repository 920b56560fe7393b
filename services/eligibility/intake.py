"""What comes in: sessions from claims, the practice that asks from credentialing, patients from the EHR."""

from typing import Any

from libs.common import telemetry
from libs.common.db import Transaction
from libs.common.events.claims import EncounterCreated
from libs.common.events.credentialing import PracticeChanged
from libs.common.events.envelope import Envelope
from libs.common.ids import new_id
from libs.common.problems import FieldError, Invalid
from libs.common.webhooks import InboundMessage, Written
from services.eligibility import check, conclude, patients, store
from services.eligibility import tables as t
from services.eligibility.views import PatientMessage


async def on_encounter_created(tx: Transaction, event: Envelope[EncounterCreated]) -> None:
    """The patient and coverages are as the session names them, and the session's check is under way."""
    data, detail = event.data, event.data.sealed
    assert detail is not None, "eligibility opens what is sealed"
    await store.lock_patient(tx, data.patient_id)
    found = await store.find(tx, t.encounter, data.encounter_id, lock=True)
    if found is not None and found["revision"] >= data.revision:
        return
    told = patients.as_of(event.time, event.id)
    identity = detail.model_dump(include={*patients.IDENTITY})
    coverages = [one.model_dump() for one in detail.coverages]
    patient_id, coverage_ids = await patients.put_whole(
        tx, data.practice_id, detail.patient_external_id, identity, coverages, told
    )
    assert patient_id == data.patient_id, "patient ids are derived the same way everywhere"
    claim = await store.claim_state(tx, data.claim_id)
    session: dict[str, Any] = {
        "id": data.encounter_id,
        "practice_id": data.practice_id,
        "patient_id": patient_id,
        "claim_id": data.claim_id,
        "external_id": detail.external_id,
        "revision": data.revision,
        "service_date": detail.service_date,
        "place_of_service": detail.place_of_service,
        "services": [one.model_dump(exclude={"line_id"}) for one in detail.services],
        "rendering_npi": detail.rendering_npi,
        "authorization_number": detail.authorization_number,
        "eap": detail.eap,
        "coverage_id": coverage_ids[0] if coverage_ids else None,
        "claim_state": claim["state"] if claim else "open",
        "claim_sequence": claim["sequence"] if claim else 0,
    }
    if found is None:
        await store.insert(
            tx, t.encounter, {**session, "units": 0, "told_sequence": 0, "traceparent": telemetry.current()}
        )
    else:
        await store.update(tx, t.encounter, data.encounter_id, session)
    await _check(tx, session)
    named = sorted(detail.coverages, key=lambda one: one.rank)
    for coverage_id, coverage in list(zip(coverage_ids, named, strict=True))[1:]:
        if coverage.may_be_asked:
            await _check_later(tx, session, coverage_id)


async def _check_later(tx: Transaction, session: dict[str, Any], coverage_id: str) -> None:
    """A coverage after the first is asked about once a month, until its payer has said yes."""
    coverage = await store.find(tx, t.coverage, coverage_id)
    assert coverage is not None, "it has just been written"
    if not await store.affirmed(tx, coverage, session["service_date"], check.OPEN):
        await check.start(tx, {**session, "encounter_id": session["id"]}, dict(coverage))


async def _check(tx: Transaction, session: dict[str, Any]) -> None:
    asked = {**session, "encounter_id": session["id"]}
    if session["coverage_id"] is None:
        await conclude.self_pay(tx, session, await _without_payer(tx, asked))
        return
    coverage = await store.find(tx, t.coverage, session["coverage_id"])
    assert coverage is not None, "it has just been written"
    check_id = await check.start(tx, asked, dict(coverage))
    await store.update(tx, t.encounter, session["id"], {"check_id": check_id})


async def _without_payer(tx: Transaction, session: dict[str, Any]) -> str:
    """A check that nobody needs to answer: the patient has no coverage."""
    check_id = new_id("elg")
    names = ("practice_id", "patient_id", "encounter_id", "service_date", "place_of_service", "services", "eap")
    await store.insert(tx, t.check, {
        **{name: session[name] for name in names}, "id": check_id, "status": "completed", "outcome": "self_pay",
        "attempt": 1, "reject_reasons": [], "created_at": tx.now, "checked_at": tx.now,
    })  # fmt: skip
    return check_id


async def on_practice_changed(tx: Transaction, event: Envelope[PracticeChanged]) -> None:
    """Our copy of who asks is the newest."""
    identity = event.data.sealed
    assert identity is not None, "eligibility opens what is sealed"
    copy = {"practice_id": event.data.practice_id, **identity.model_dump(include={"name", "npi", "taxonomy"})}
    await store.put(tx, t.practice, {**copy, "sequence": event.sequence}, newer="sequence")


async def on_ehr_message(tx: Transaction, message: InboundMessage) -> Written:
    """A patient, with the coverages that the message names, is on record as the EHR has them."""
    told = PatientMessage.model_validate_json(message.body)
    practice_id = told.patient.practice_id
    if message.practice_id not in (None, practice_id):
        raise Invalid([FieldError("/patient/practice_id", "not_of_source", "The source is of another practice.")])
    identity = told.patient.model_dump(include={*patients.IDENTITY})
    coverages = [one.model_dump() for one in told.coverages]
    as_of = patients.as_of(told.occurred_at or message.received_at, message.id)
    patient_id, _ = await patients.put_whole(tx, practice_id, told.patient.external_id, identity, coverages, as_of)
    return Written("patient", [patient_id], practice_id)
