"""Licences and CAQH attestations end: everybody who must know is told in time, once for each notice."""

from datetime import UTC, datetime

from libs.common.events.credentialing import CredentialExpiring
from tests.calls import Api
from tests.credentialing import organisation as org


def a_licence(expires_on: str) -> dict[str, str]:
    return org.LICENCE | {"expires_on": expires_on}


async def test_a_licence_is_told_at_each_notice_even_if_the_clock_jumps(api: Api) -> None:
    practice_id = await org.practice(api)
    await org.clinician(api, practice_id, licences=[a_licence("2027-03-31")])
    assert await api.run_due() == 0
    await api.set_clock(datetime(2027, 4, 1, 9, tzinfo=UTC))
    await api.run_due()
    told = await api.envelopes(CredentialExpiring)
    assert [event.data.days_left for event in told] == [120, 90, 60, 30, 14, 7, 0]
    assert [event.sequence for event in told] == [1, 2, 3, 4, 5, 6, 7]
    assert [task["reason"] for task in await api.tasks()] == ["licence_expired"]


async def test_a_licence_that_ends_soon_is_told_on_the_day_it_is_recorded(api: Api) -> None:
    practice_id = await org.practice(api)
    await org.clinician(api, practice_id, licences=[a_licence("2026-11-20")])
    await api.run_due()
    assert [event.days_left for event in await api.told(CredentialExpiring)] == [46]
    [task] = await api.tasks()
    assert (task["reason"], task["due_on"], task["owner"]) == ("licence_expiring", "2026-11-20", "credentialing")


async def test_the_task_is_of_the_practice_of_a_clinician_who_works_for_one_only(api: Api) -> None:
    mine, other = await org.practice(api), await org.practice(api, npi="1234567893", name="Elsewhere")
    for npi, practices in (("1999999984", [mine]), ("1003000126", [mine, other])):
        await org.clinician(api, mine, npi=npi, practice_ids=practices, licences=[a_licence("2026-11-20")])
    await api.run_due()
    assert {task["practice_id"] for task in await api.tasks()} == {mine, None}
    assert [
        task["practice_id"] for task in (await api.get("/v1/tasks", token=api.token(practice_ids=[other])))["data"]
    ] == [None]


async def test_a_renewal_settles_the_task(api: Api) -> None:
    practice_id = await org.practice(api)
    provider_id = await org.clinician(api, practice_id, licences=[a_licence("2026-11-20")])
    await api.run_due()
    await api.patch(f"/v1/providers/{provider_id}", {"licences": [a_licence("2028-11-20")]})
    await api.run_due()
    assert await api.tasks() == []
    assert len(await api.told(CredentialExpiring)) == 1


async def test_a_licence_that_a_newer_one_follows_alarms_nobody(api: Api) -> None:
    practice_id = await org.practice(api)
    old = a_licence("2026-10-31")
    new = org.LICENCE | {"number": "58212", "effective_from": "2026-11-01"}
    await org.clinician(api, practice_id, licences=[old, new])
    await api.run_due()
    assert await api.told(CredentialExpiring) == []


async def test_a_caqh_profile_must_be_attested_again_after_120_days(api: Api) -> None:
    practice_id = await org.practice(api)
    caqh = {"id": "15522233", "attested_on": "2026-10-05"}
    provider_id = await org.clinician(api, practice_id, caqh=caqh)
    assert await api.run_due() == 0
    await api.set_clock(datetime(2027, 1, 3, 9, tzinfo=UTC))
    await api.run_due()
    [told] = await api.told(CredentialExpiring)
    assert (told.credential, told.days_left, str(told.expires_on)) == ("caqh_attestation", 30, "2027-02-02")
    await api.set_clock(datetime(2027, 2, 2, 9, tzinfo=UTC))
    await api.run_due()
    assert [task["reason"] for task in await api.tasks()] == ["caqh_attestation_expired"]
    await api.patch(f"/v1/providers/{provider_id}", {"caqh": caqh | {"attested_on": "2027-02-02"}})
    assert await api.tasks() == []
