"""Consents over the API."""

from tests.claims.conftest import PRACTICE, Desk

BODY = {"external_id": "cns-9", "practice_id": PRACTICE, "patient_external_id": "MRN-5521", "given_on": "2026-10-01"}


async def test_a_consent_is_recorded_once_and_revoked_once(desk: Desk) -> None:
    first = await desk.api.call("POST", "/v1/consents", BODY)
    again = await desk.api.call("POST", "/v1/consents", BODY)
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])
    other = await desk.api.call("POST", "/v1/consents", BODY | {"expires_on": "2027-01-01"})
    assert (other.status_code, other.json()["code"]) == (409, "consent_exists")
    assert len((await desk.api.get(f"/v1/consents?practice_id={PRACTICE}"))["data"]) == 1

    path = f"/v1/consents/{first.json()['id']}/revocations"
    assert (await desk.api.call("POST", path, {"why": "asked"})).status_code == 200
    assert (await desk.api.call("POST", path, {"why": "asked"})).status_code == 409
    assert (await desk.api.call("POST", "/v1/consents/cns_none/revocations", {"why": "x"})).status_code == 404
