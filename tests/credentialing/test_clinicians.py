"""Clinicians, their practices and licences."""

from typing import Any

from libs.common.events.credentialing import EnrollmentChanged, ProviderChanged
from tests.calls import Api
from tests.credentialing import organisation as org


async def test_a_clinician_is_told_with_level_and_licences(api: Api) -> None:
    practice_id = await org.practice(api)
    provider_id = await org.clinician(api, practice_id)
    [told] = await api.envelopes(ProviderChanged)
    assert (told.subject, told.data.level, told.data.practice_ids) == (provider_id, "master", [practice_id])
    assert told.data.sealed.npi == "1999999984"
    assert told.data.sealed.licences[0].state == "TX"


async def test_the_caqh_profile_shows_when_it_must_be_attested_again(api: Api) -> None:
    practice_id = await org.practice(api)
    caqh = {"id": "15522233", "attested_on": "2026-09-10"}
    provider_id = await org.clinician(api, practice_id, caqh=caqh)
    found = await api.get(f"/v1/providers/{provider_id}")
    assert (found["caqh"], found["caqh_attestation_due"]) == (caqh, "2027-01-08")


async def test_a_renewed_licence_keeps_its_id_and_extends_what_is_billable(api: Api) -> None:
    practice_id = await org.practice(api)
    provider_id = await org.clinician(api, practice_id)
    await org.enrollment(api, provider_id, practice_id, **org.ON_FILE)
    before = await api.get(f"/v1/providers/{provider_id}")
    renewed = org.LICENCE | {"expires_on": "2030-02-28"}
    after = await api.patch(f"/v1/providers/{provider_id}", {"licences": [renewed]}, version=1)
    assert [one["id"] for one in after["licences"]] == [one["id"] for one in before["licences"]]
    ends = [str(event.billable[0].effective_to) for event in await api.told(EnrollmentChanged)]
    assert ends == ["2028-02-29", "2030-02-28"]


async def test_a_clinician_of_a_practice_that_does_not_exist_is_refused(api: Api) -> None:
    answer = await api.call("POST", "/v1/providers", org.a_clinician("prc_nobody"))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/practice_ids/0")


async def test_one_npi_is_one_clinician(api: Api) -> None:
    practice_id = await org.practice(api)
    await org.clinician(api, practice_id)
    assert (await api.call("POST", "/v1/providers", org.a_clinician(practice_id))).status_code == 409


async def test_the_same_licence_twice_is_refused(api: Api) -> None:
    practice_id = await org.practice(api)
    body = org.a_clinician(practice_id, licences=[org.LICENCE, org.LICENCE])
    assert (await api.call("POST", "/v1/providers", body)).status_code == 422


async def test_clinicians_are_seen_by_practice(api: Api) -> None:
    mine = await org.practice(api)
    other = await org.practice(api, npi="1234567893", name="Elsewhere")
    provider_id = await org.clinician(api, mine)
    await org.clinician(api, other, npi="1003000126")
    narrow = api.token(practice_ids=[mine])
    assert [row["id"] for row in (await api.get("/v1/providers", token=narrow))["data"]] == [provider_id]
    assert len((await api.get("/v1/providers"))["data"]) == 2


async def test_a_change_by_a_caller_with_a_narrow_view_is_told_in_full(api: Api) -> None:
    mine = await org.practice(api)
    other = await org.practice(api, npi="1234567893", name="Elsewhere")
    provider_id = await org.clinician(api, mine, practice_ids=[mine, other])
    third = await org.practice(api, npi="1003000126", name="Next door")
    narrow = api.token(practice_ids=[mine, third])
    await api.patch(f"/v1/providers/{provider_id}", {"practice_ids": [third]}, version=1, token=narrow)
    await api.run_due()
    told = (await api.told(ProviderChanged))[-1]
    assert sorted(told.practice_ids) == sorted([third, other])


async def test_a_clinician_who_works_elsewhere_too_is_changed_by_who_may_see_all_their_practices(api: Api) -> None:
    mine = await org.practice(api)
    other = await org.practice(api, npi="1234567893", name="Elsewhere")
    provider_id = await org.clinician(api, mine, practice_ids=[mine, other])
    await org.enrollment(api, provider_id, other, **org.ON_FILE)
    path = f"/v1/providers/{provider_id}"
    changes: list[dict[str, Any]] = [{"licences": []}, {"status": "inactive"}, {"last_name": "Other"}]
    for change in changes:
        refused = await api.call("PATCH", path, change, token=api.token(practice_ids=[mine]), If_Match='"1"')
        assert (refused.status_code, refused.json()["code"]) == (403, "practice_forbidden"), change
    await api.patch(path, {"licences": []}, version=1, token=api.token(practice_ids=[mine, other]))
    await api.run_due()
    assert (await api.told(EnrollmentChanged))[-1].billable == []
