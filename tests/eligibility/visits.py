"""A practice, its patients and their sessions, as the other services tell of them."""

from datetime import date
from typing import Any

from libs.common.events.claims import ClaimUpdated, CodedService, EncounterCoverage, EncounterCreated, EncounterDetail
from libs.common.events.credentialing import Address, PracticeChanged, PracticeIdentity
from libs.common.events.eligibility import EligibilityChecked
from libs.common.ids import derived_id
from tests.calls import Api

PRACTICE = "prc_1"
VISIT = date(2026, 10, 5)


async def set_up(api: Api) -> None:
    """The tenant has a practice and an account at the clearinghouse."""
    await tell_practice(api)
    account = {
        "submitter_id": "PARITY01",
        "receiver_id": "SANDBOXCH",
        "url": "http://clearinghouse.test",
        "api_key": "a-secret",
    }
    answer = await api.call("PUT", "/v1/clearinghouse-account", account)
    assert answer.status_code == 200, answer.text


def practice_of(api: Api) -> str:
    return derived_id("prc", api.tenant)


async def tell_practice(api: Api) -> None:
    identity = PracticeIdentity(
        name="Bright Minds",
        npi="1999999992",
        tin="741234567",
        taxonomy="261QM0801X",
        address=Address(line1="100 Main St", city="Austin", state="TX", zip="787010001"),
    )
    await api.deliver(PracticeChanged(practice_id=practice_of(api), status="active", sealed=identity))


def a_coverage(**changes: Any) -> EncounterCoverage:
    return EncounterCoverage(**{"rank": 1, "payer_id": "pay_harborbh", "member_id": "HB100200300"} | changes)


def a_service(procedure: str = "90834", **changes: Any) -> CodedService:
    values = {"line_id": "sln_1", "procedure": procedure, "modifiers": [], "units": 1, "charge_cents": 17_500}
    return CodedService(**values | changes)


def a_visit(api: Api, external_id: str = "ehr-1", **changes: Any) -> EncounterCreated:
    """A session of Jo Rivera; `changes` go into its sealed detail, or into the event where it has the field."""
    practice_id = practice_of(api)
    detail = {
        "external_id": external_id,
        "patient_external_id": "MRN-5521",
        "first_name": "Jo",
        "last_name": "Rivera",
        "dob": date(1990, 4, 12),
        "sex": "F",
        "coverages": [a_coverage()],
        "service_date": VISIT,
        "place_of_service": "11",
        "modality": "in_person",
        "diagnoses": ["F331"],
        "services": [a_service()],
        "rendering_npi": "1999999984",
    }
    open_fields = {name: changes.pop(name) for name in ("revision",) if name in changes}
    detail |= changes
    return EncounterCreated(
        encounter_id=derived_id("enc", api.tenant, external_id),
        claim_id=derived_id("clm", api.tenant, external_id),
        practice_id=practice_id,
        patient_id=derived_id("pat", api.tenant, practice_id, str(detail["patient_external_id"])),
        code_family="psychotherapy",
        charge_cents=17_500,
        sealed=EncounterDetail(**detail),
        **open_fields,
    )


def a_claim(visit: EncounterCreated, **changes: Any) -> ClaimUpdated:
    """News of the session's claim."""
    values = {
        "claim_id": visit.claim_id,
        "encounter_id": visit.encounter_id,
        "practice_id": visit.practice_id,
        "patient_id": visit.patient_id,
        "provider_id": "prv_1",
        "payer_id": "pay_harborbh",
        "status": "ready",
        "owner": "system",
        "code_family": "psychotherapy",
        "charge_cents": 17_500,
        "clean": True,
        "attempts": 0,
    }
    return ClaimUpdated(**values | changes)


async def checked(api: Api, visit: EncounterCreated) -> EligibilityChecked:
    """What was told last of the session."""
    found: list[EligibilityChecked] = [
        event for event in await api.told(EligibilityChecked) if event.encounter_id == visit.encounter_id
    ]
    assert found, "nothing has been told of the session"
    return found[-1]


async def hold(api: Api, *visits: EncounterCreated) -> None:
    """The sessions have arrived, and their checks are made."""
    for visit in visits:
        await api.deliver(visit)
    await api.run_due()


async def authorize(api: Api, visit: EncounterCreated, **changes: Any) -> dict[str, Any]:
    body = {
        "patient_id": visit.patient_id,
        "payer_id": "pay_bluebonnet",
        "number": "AUTH123",
        "codes": ["90837"],
        "approved_units": 2,
        "effective_from": "2026-10-01",
        "effective_to": "2026-12-31",
    }
    return await api.post("/v1/authorizations", body | changes)
