"""Before the month begins: the payers' files, the clearinghouse, the practice, its clinicians, its prices."""

from datetime import timedelta
from typing import Any

from deploy.local.demo.client import Client
from deploy.local.demo.oddities import scenarios
from deploy.local.demo.practice import FIRST_DAY, PAYERS, Patient, Practice, address

SUBMITTER = "PARITYDEMO"
CHARGES_CENTS = {
    "90791": 22_000, "90792": 26_000, "90832": 11_000, "90834": 15_000, "90837": 19_000, "90847": 17_000,
    "90853": 6_000, "90833": 9_500, "90836": 12_500, "99213": 14_000, "99214": 19_000, "H0004": 3_500, "90839": 23_000,
}  # fmt: skip
EVERY_PAYER = (*(payer_id for payer_id, _ in PAYERS), "pay_harborbh")
GROUP_TAXONOMY = "261QM0801X"


class Opened(dict[str, Any]):
    """Ids that later calls need: practice, location, providers by NPI, the EHR's webhook source."""


async def open_practice(client: Client, practice: Practice) -> Opened:
    """Everything stands as on the eve of the first day."""
    await client.post("sandbox", "/v1/clock/set", {"at": f"{FIRST_DAY - timedelta(days=1)}T12:00:00Z"})
    await _payers(client, practice)
    opened = await _organisation(client, practice)
    await _clearinghouse(client)
    await _prices(client, opened)
    opened["source"] = await client.post(
        "claims", "/v1/webhook-sources", {"kind": "ehr", "name": "Lakeside EHR", "practice_id": opened["practice_id"]}
    )
    await _authorizations(client, practice, opened)
    return opened


async def _payers(client: Client, practice: Practice) -> None:
    """What the payers have on file: their members, and the clinicians they have loaded."""
    members = [_member(patient) for patient in practice.patients if patient.known_to_payer]
    await client.post("sandbox", "/v1/members", {"data": members})
    rosters = [
        {
            "payer_id": payer_id,
            "npi": clinician.npi,
            "billing_npi": practice.npi,
            "effective_from": "2024-01-01",
            "taxonomy": clinician.taxonomy,
        }
        for clinician in practice.clinicians
        for payer_id in EVERY_PAYER
        if clinician.waits_for != payer_id
    ]
    await client.post("sandbox", "/v1/rosters", {"data": rosters})
    for scenario in scenarios(practice):
        await client.post("sandbox", "/v1/scenarios", scenario)


def _member(patient: Patient) -> dict[str, Any]:
    return {
        "payer_id": patient.payer_id,
        "member_id": patient.member_id,
        "last_name": patient.last_name.upper(),
        "first_name": patient.first_name.upper(),
        "birth_date": patient.dob.isoformat(),
        "gender": patient.sex,
        "effective_from": "2025-01-01",
        "effective_to": patient.covered_until.isoformat() if patient.covered_until else None,
        **_used(patient),
    }


def _used(patient: Patient) -> dict[str, Any]:
    """By October most deductibles have been met, some in part."""
    share = patient.number % 4
    if patient.payer_id == "pay_medicare":
        return {"deductible_used_cents": 28_300 if share else 12_000}
    if patient.payer_id == "pay_meridian":
        return {"deductible_used_cents": 30_000 if share else 18_000, "oop_used_cents": 40_000}
    return {"visits_used": 10 + share}


async def _organisation(client: Client, practice: Practice) -> Opened:
    made = await client.post(
        "credentialing",
        "/v1/practices",
        {
            "name": practice.name,
            "npi": practice.npi,
            "tin": practice.tin,
            "taxonomy": GROUP_TAXONOMY,
            "address": {"line1": "410 Lakeshore Dr", "city": "Austin", "state": "TX", "zip": "787030001"},
            "contact_name": "Billing Office",
            "phone": "5125550142",
        },
    )
    opened = Opened(practice_id=made["id"], providers={}, enrollments={}, patients={})
    opened["location_id"] = (
        await client.post(
            "credentialing",
            "/v1/locations",
            {
                "practice_id": made["id"],
                "name": "Lakeside",
                "address": {"line1": "410 Lakeshore Dr", "city": "Austin", "state": "TX", "zip": "787030001"},
                "place_of_service": "11",
            },
        )
    )["id"]
    for clinician in practice.clinicians:
        provider = await client.post(
            "credentialing",
            "/v1/providers",
            {
                "practice_ids": [made["id"]],
                "npi": clinician.npi,
                "first_name": clinician.first_name,
                "last_name": clinician.last_name,
                "taxonomy": clinician.taxonomy,
                "credential": clinician.credential,
                "licences": [
                    {
                        "state": "TX",
                        "number": f"L{clinician.npi[1:7]}",
                        "type": clinician.credential,
                        "effective_from": "2019-06-01",
                        "expires_on": "2027-05-31",
                    }
                ],
                "caqh": {"id": clinician.npi[2:10], "attested_on": "2026-08-20"},
            },
        )
        opened["providers"][clinician.npi] = provider["id"]
        for payer_id in EVERY_PAYER:
            waits = clinician.waits_for == payer_id
            standing = (
                {"status": "in_review"}
                if waits
                else {"status": "effective", "effective_from": "2024-01-01", "payer_loaded_on": "2024-01-15"}
            )
            enrollment = await client.post(
                "credentialing",
                "/v1/enrollments",
                {"provider_id": provider["id"], "practice_id": made["id"], "payer_id": payer_id, **standing},
            )
            opened["enrollments"][clinician.npi, payer_id] = enrollment["id"]
    return opened


async def _clearinghouse(client: Client) -> None:
    account = await client.post("sandbox", "/v1/accounts", {"submitter_id": SUBMITTER})
    for service in ("eligibility", "claims", "remittance"):
        await client.put(
            service,
            "/v1/clearinghouse-account",
            {
                "submitter_id": SUBMITTER,
                "receiver_id": "SANDBOXCH",
                "receiver_name": "Sandbox Clearinghouse",
                "url": client.platform.urls["sandbox"],
                "api_key": account["api_key"],
            },
        )


async def _prices(client: Client, opened: Opened) -> None:
    for code, cents in CHARGES_CENTS.items():
        await client.put(
            "claims",
            "/v1/charges",
            {
                "practice_id": opened["practice_id"],
                "code": code,
                "charge_cents": cents,
                "effective_from": "2026-01-01",
            },
        )


async def _authorizations(client: Client, practice: Practice, opened: Opened) -> None:
    """Long sessions of the Medicaid plan and sessions of the assistance program are authorized; some too few."""
    for patient in practice.patients:
        kinds = {session.kind for session in practice.sessions if session.patient == patient}
        if not kinds & {"long", "eap"}:
            continue
        opened["patients"][patient.external_id] = await _patient(client, opened, patient)
        if "long" in kinds:
            await authorize(client, opened, patient, number=f"BB{patient.number:04d}A", codes=["90837"], units=6)
        else:
            await authorize(client, opened, patient, number=f"EAP{patient.number:04d}", codes=[], units=6, eap=True)


async def _patient(client: Client, opened: Opened, patient: Patient) -> str:
    """The front desk registers the patient before the first session; returns the patient's id."""
    made = await client.post(
        "eligibility",
        "/v1/patients",
        {
            "practice_id": opened["practice_id"],
            "external_id": patient.external_id,
            "first_name": patient.first_name,
            "last_name": patient.last_name,
            "dob": patient.dob.isoformat(),
            "sex": patient.sex,
            "address": address(patient.number),
        },
    )
    return str(made["id"])


async def authorize(
    client: Client,
    opened: Opened,
    patient: Patient,
    *,
    number: str,
    codes: list[str],
    units: int,
    eap: bool = False,
) -> None:
    """The payer has authorized units, and the front desk has entered them."""
    first, last = "2026-10-01", "2026-12-31"
    theirs = {"payer_id": patient.payer_id, "member_id": patient.member_id, "number": number, "codes": codes}
    await client.post(
        "sandbox", "/v1/payer-authorizations", theirs | {"units": units, "from": first, "to": last, "eap": eap}
    )
    await client.post(
        "eligibility",
        "/v1/authorizations",
        {
            "patient_id": opened["patients"][patient.external_id],
            "payer_id": patient.payer_id,
            "kind": "eap" if eap else "prior",
            "number": number,
            "codes": codes,
            "unit": "visit",
            "approved_units": units,
            "effective_from": first,
            "effective_to": last,
        },
    )
