"""What a scenario stands on: a practice, its account at the clearinghouse, and what payers have on file."""

from typing import Any

from deploy.local.demo.client import Client
from deploy.local.demo.practice import Clinician, Patient, Practice, address

PAYERS = ("pay_meridian", "pay_harborbh", "pay_bluebonnet", "pay_medicare", "pay_summit")
WHERE = {"line1": "12 Elm St", "city": "Austin", "state": "TX", "zip": "787030001"}


async def organisation(client: Client, practice: Practice) -> tuple[str, str, dict[str, str]]:
    """The ids of the practice, of its location, and of its clinician's enrollment with each payer."""
    made = await client.post(
        "credentialing",
        "/v1/practices",
        {
            "name": practice.name,
            "npi": practice.npi,
            "tin": practice.tin,
            "taxonomy": "261QM0801X",
            "address": WHERE,
            "contact_name": "Billing Office",
            "phone": "5125550142",
        },
    )
    practice_id = made["id"]
    place = {"practice_id": practice_id, "name": "Elm", "address": WHERE, "place_of_service": "11"}
    location = await client.post("credentialing", "/v1/locations", place)
    clinician = practice.clinicians[0]
    provider = await client.post("credentialing", "/v1/providers", _provider(clinician, practice_id))
    enrollments = {}
    for payer_id in PAYERS:
        waits = payer_id == clinician.waits_for
        loaded = {"status": "effective", "effective_from": "2024-01-01", "payer_loaded_on": "2024-01-15"}
        stands = {"status": "in_review"} if waits else loaded
        about = {"provider_id": provider["id"], "practice_id": practice_id, "payer_id": payer_id}
        enrollments[payer_id] = (await client.post("credentialing", "/v1/enrollments", about | stands))["id"]
        if not waits:
            await roster(client, practice, payer_id)
    return practice_id, location["id"], enrollments


def _provider(clinician: Clinician, practice_id: str) -> dict[str, Any]:
    licence = {"state": "TX", "number": "L1", "type": clinician.credential, "effective_from": "2019-06-01"}
    return {
        **{name: getattr(clinician, name) for name in ("npi", "first_name", "last_name", "taxonomy", "credential")},
        "practice_ids": [practice_id],
        "licences": [licence | {"expires_on": "2028-05-31"}],
        "caqh": {"id": clinician.npi[2:10], "attested_on": "2026-09-20"},
    }


async def roster(client: Client, practice: Practice, payer_id: str) -> None:
    """The payer has the practice's clinician in its files."""
    clinician = practice.clinicians[0]
    loaded = {"payer_id": payer_id, "npi": clinician.npi, "billing_npi": practice.npi}
    loaded |= {"effective_from": "2024-01-01", "taxonomy": clinician.taxonomy}
    await client.post("sandbox", "/v1/rosters", loaded)


async def clearinghouse(client: Client, submitter_id: str, *, url: str | None = None) -> None:
    """The practice's services send and fetch as this submitter, at the sandbox or at `url`, which leads there."""
    account = await client.post("sandbox", "/v1/accounts", {"submitter_id": submitter_id})
    known = {"submitter_id": submitter_id, "receiver_id": "SANDBOXCH", "api_key": account["api_key"]}
    for service in ("eligibility", "claims", "remittance"):
        at = {"url": url or client.platform.urls["sandbox"]}
        await client.put(service, "/v1/clearinghouse-account", known | at)


async def enrol(client: Client, patient: Patient, on_file: dict[str, Any]) -> None:
    """The payer knows the patient, and this of them."""
    name = {"first_name": patient.first_name.upper(), "last_name": patient.last_name.upper()}
    member = {"payer_id": patient.payer_id, "member_id": patient.member_id, "effective_from": "2025-01-01"}
    member |= {"birth_date": patient.dob.isoformat(), "gender": patient.sex}
    await client.post("sandbox", "/v1/members", name | member | on_file)


async def register(client: Client, practice_id: str, patient: Patient) -> None:
    """The front desk knows the patient."""
    name = {"first_name": patient.first_name, "last_name": patient.last_name}
    known = {"practice_id": practice_id, "external_id": patient.external_id, "address": address(patient.number)}
    known |= {"dob": patient.dob.isoformat(), "sex": patient.sex}
    await client.post("eligibility", "/v1/patients", name | known)


async def authorize(
    client: Client, patient: Patient, patient_id: str, *, number: str, units: int, codes: list[str]
) -> None:
    """The payer has authorized units for the rest of the year, and the front desk has entered them."""
    first, last = "2026-10-01", "2026-12-31"
    theirs = {"payer_id": patient.payer_id, "member_id": patient.member_id, "number": number, "codes": codes}
    allowed = {"units": units, "from": first, "to": last}
    await client.post("sandbox", "/v1/payer-authorizations", theirs | allowed)
    ours = {"patient_id": patient_id, "payer_id": patient.payer_id, "kind": "prior", "unit": "visit", "number": number}
    allowed = {"approved_units": units, "effective_from": first, "effective_to": last}
    await client.post("eligibility", "/v1/authorizations", ours | {"codes": codes} | allowed)
