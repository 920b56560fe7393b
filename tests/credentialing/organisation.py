"""A practice in Texas with one clinician, made through the API."""

from typing import Any

from tests.calls import Api

STREET = {"line1": "100 Main St", "city": "Austin", "state": "TX", "zip": "787010001"}
TULSA = {"line1": "7 Elm St", "city": "Tulsa", "state": "OK", "zip": "741030001"}
LICENCE = {"state": "TX", "number": "58211", "type": "LCSW", "effective_from": "2022-03-01", "expires_on": "2028-02-29"}
ON_FILE = {"status": "effective", "effective_from": "2024-01-01", "payer_loaded_on": "2024-01-15"}


def a_practice(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Bright Minds",
        "npi": "1999999992",
        "tin": "741234567",
        "taxonomy": "261QM0801X",
        "address": STREET,
        **changes,
    }


def a_clinician(practice_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "practice_ids": [practice_id],
        "npi": "1999999984",
        "first_name": "Dana",
        "last_name": "Quill",
        "taxonomy": "1041C0700X",
        "credential": "LCSW",
        "licences": [LICENCE],
        **changes,
    }


async def practice(api: Api, **changes: Any) -> str:
    return str((await api.post("/v1/practices", a_practice(**changes)))["id"])


async def location(api: Api, practice_id: str, **changes: Any) -> str:
    body = {"practice_id": practice_id, "name": "Main office", "address": STREET, **changes}
    return str((await api.post("/v1/locations", body))["id"])


async def clinician(api: Api, practice_id: str, **changes: Any) -> str:
    return str((await api.post("/v1/providers", a_clinician(practice_id, **changes)))["id"])


async def enrollment(api: Api, provider_id: str, practice_id: str, **changes: Any) -> str:
    body = {"provider_id": provider_id, "practice_id": practice_id, "payer_id": "pay_harborbh", **changes}
    return str((await api.post("/v1/enrollments", body))["id"])


async def billable(api: Api, practice_id: str, on: str = "2026-10-05", **query: str) -> tuple[str, str]:
    asked = {"npi": "1999999984", "practice_id": practice_id, "payer_id": "pay_harborbh", "on": on, **query}
    found = await api.get("/v1/billability?" + "&".join(f"{name}={value}" for name, value in asked.items()))
    return found["billable"], found["reason"]
