"""Authorizations as people record them."""

import pytest

from tests.calls import Api
from tests.eligibility.visits import a_visit, authorize, hold


@pytest.fixture
async def patient_id(api: Api) -> str:
    visit = a_visit(api)
    await hold(api, visit)
    return visit.patient_id


def a_body(patient_id: str, **changes: object) -> dict[str, object]:
    return {
        "patient_id": patient_id,
        "payer_id": "pay_bluebonnet",
        "number": "AUTH123",
        "approved_units": 4,
        "effective_from": "2026-10-01",
        "effective_to": "2026-12-31",
        **changes,
    }


async def test_an_approval_without_a_number_is_refused(api: Api, patient_id: str) -> None:
    answer = await api.call("POST", "/v1/authorizations", a_body(patient_id, number=None))
    assert answer.status_code == 422


async def test_the_same_number_twice_is_a_conflict(api: Api, patient_id: str) -> None:
    await api.post("/v1/authorizations", a_body(patient_id))
    answer = await api.call("POST", "/v1/authorizations", a_body(patient_id))
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_resource")


async def test_a_request_goes_from_the_draft_to_the_approval(api: Api, patient_id: str) -> None:
    draft = await api.post("/v1/authorizations", a_body(patient_id, status="draft", number=None))
    path = f"/v1/authorizations/{draft['id']}/steps"
    for step in ("submit", "pend"):
        await api.post(path, {"step": step})
    assert (await api.call("POST", path, {"step": "approve"})).status_code == 422
    approved = await api.post(path, {"step": "approve_partly", "number": "AUTH9", "approved_units": 2})
    assert (approved["status"], approved["number"], approved["approved_units"]) == ("partially_approved", "AUTH9", 2)
    assert (await api.call("POST", path, {"step": "submit"})).status_code == 409


async def test_used_units_cannot_be_taken_away(api: Api, patient_id: str) -> None:
    granted = await api.post("/v1/authorizations", a_body(patient_id))
    answer = await api.call("PATCH", f"/v1/authorizations/{granted['id']}", {"approved_units": 0}, If_Match="1")
    assert answer.status_code == 200
    assert (
        await api.call("PATCH", f"/v1/authorizations/{granted['id']}", {"unit": "day"}, If_Match="1")
    ).status_code == 412


async def test_an_unknown_patient_is_refused(api: Api) -> None:
    assert (await api.call("POST", "/v1/authorizations", a_body("pat_nobody"))).status_code == 422


async def test_authorizations_are_listed_by_patient(api: Api, patient_id: str) -> None:
    visit = a_visit(api, "ehr-9", patient_external_id="MRN-2")
    await hold(api, visit)
    granted = await authorize(api, visit)
    found = await api.get(f"/v1/authorizations?patient_id={visit.patient_id}")
    assert [row["id"] for row in found["data"]] == [granted["id"]]
    assert (await api.get(f"/v1/authorizations?patient_id={patient_id}"))["data"] == []
