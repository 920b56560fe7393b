"""The routes of credentialing: who may call them, what they refuse, how lists go on."""

from tests.calls import Api
from tests.credentialing import organisation as org


async def test_writing_needs_the_scope(api: Api) -> None:
    reader = api.token(scopes=["credentialing:read"])
    assert (await api.call("POST", "/v1/practices", org.a_practice(), token=reader)).status_code == 403
    assert (await api.call("GET", "/v1/practices", token=reader)).status_code == 200


async def test_the_same_post_twice_makes_one_practice(api: Api) -> None:
    key = {"Idempotency_Key": "practice-0001"}
    first = await api.call("POST", "/v1/practices", org.a_practice(), **key)
    again = await api.call("POST", "/v1/practices", org.a_practice(), **key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await api.get("/v1/practices"))["data"]) == 1


async def test_lists_go_on_with_a_cursor(api: Api) -> None:
    practice_id = await org.practice(api)
    made = [await org.clinician(api, practice_id, npi=npi) for npi in ("1999999984", "1003000126", "1234567893")]
    first = await api.get("/v1/providers?limit=2")
    second = await api.get(f"/v1/providers?limit=2&cursor={first['page']['next_cursor']}")
    assert [row["id"] for row in first["data"] + second["data"]] == made
    assert (first["page"]["has_more"], second["page"]["has_more"]) == (True, False)


async def test_enrollments_are_found_by_status(api: Api) -> None:
    practice_id = await org.practice(api)
    provider_id = await org.clinician(api, practice_id)
    waiting = await org.enrollment(api, provider_id, practice_id, status="in_review")
    await org.enrollment(api, provider_id, practice_id, payer_id="pay_medicare", **org.ON_FILE)
    found = await api.get("/v1/enrollments?status=in_review")
    assert [row["id"] for row in found["data"]] == [waiting]
    assert found["data"][0]["next_steps"] == ["request_info", "approve", "deny", "close_panel", "withdraw"]


async def test_an_answer_about_billability_rests_on_something(api: Api) -> None:
    practice_id = await org.practice(api)
    provider_id = await org.clinician(api, practice_id)
    enrollment_id = await org.enrollment(api, provider_id, practice_id, **org.ON_FILE)
    query = f"npi=1999999984&practice_id={practice_id}&payer_id=pay_harborbh&on=2026-10-05"
    found = await api.get(f"/v1/billability?{query}")
    assert found["basis"]["enrollment_id"] == enrollment_id
    assert found["basis"]["licence_expires_on"] == "2028-02-29"
    assert found["words"] == "On file with the payer since 2024-01-15, effective 2024-01-01."


async def test_billability_needs_a_date(api: Api) -> None:
    answer = await api.call("GET", "/v1/billability?npi=1999999984&practice_id=p&payer_id=pay_harborbh")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/on")
