"""An enrollment from the application to the payer's load, and what is told of it."""

from datetime import UTC, date, datetime

import pytest

from libs.common.events.credentialing import BillableSpan, EnrollmentChanged
from tests.calls import Api
from tests.credentialing import organisation as org

OPEN = BillableSpan(effective_from=date(2024, 1, 1), effective_to=date(2028, 2, 29))


@pytest.fixture
async def practice_id(api: Api) -> str:
    return await org.practice(api)


@pytest.fixture
async def provider_id(api: Api, practice_id: str) -> str:
    return await org.clinician(api, practice_id)


async def take(api: Api, enrollment_id: str, step: str, **more: object) -> dict[str, object]:
    return await api.post(f"/v1/enrollments/{enrollment_id}/steps", {"step": step, **more})


async def test_an_enrollment_on_file_is_billable_from_its_first_day(
    api: Api, practice_id: str, provider_id: str
) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id, **org.ON_FILE)
    [told] = await api.envelopes(EnrollmentChanged)
    assert (told.subject, told.sequence, told.data.status) == (enrollment_id, 1, "effective")
    assert told.data.billable == [OPEN]
    assert await org.billable(api, practice_id) == ("yes", "enrolled")


async def test_the_way_from_the_application_to_the_payers_load(api: Api, practice_id: str, provider_id: str) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id)
    for step in ("submit", "receive", "request_info", "answer"):
        await take(api, enrollment_id, step)
    assert await org.billable(api, practice_id) == ("hold", "enrollment_in_progress")
    await take(api, enrollment_id, "approve", effective_from="2026-09-01")
    assert await org.billable(api, practice_id) == ("hold", "enrollment_not_loaded")
    loaded = await take(api, enrollment_id, "load")
    assert (loaded["status"], loaded["payer_loaded_on"]) == ("effective", "2026-10-05")
    assert await org.billable(api, practice_id, on="2026-09-01") == ("yes", "enrolled")
    assert await org.billable(api, practice_id, on="2026-08-31") == ("no", "before_effective_date")
    told = await api.envelopes(EnrollmentChanged)
    assert [event.data.status for event in told] == [
        "collecting", "submitted", "in_review", "info_requested", "in_review", "approved", "effective",
    ]  # fmt: skip
    assert [event.sequence for event in told] == list(range(1, 8))
    assert [bool(event.data.billable) for event in told] == [False] * 6 + [True]
    steps = [row["step"] for row in (await api.get(f"/v1/enrollments/{enrollment_id}"))["history"]]
    assert steps == ["start", "submit", "receive", "request_info", "answer", "approve", "load", "begin"]


async def test_a_step_that_cannot_follow_is_refused(api: Api, practice_id: str, provider_id: str) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id)
    answer = await api.call("POST", f"/v1/enrollments/{enrollment_id}/steps", {"step": "load"})
    assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict")


async def test_a_load_without_an_effective_date_is_refused(api: Api, practice_id: str, provider_id: str) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id, status="approved")
    answer = await api.call("POST", f"/v1/enrollments/{enrollment_id}/steps", {"step": "load"})
    assert (answer.status_code, answer.json()["code"]) == (422, "dates_missing")


async def test_what_has_not_happened_yet_is_not_recorded(api: Api, practice_id: str, provider_id: str) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id)
    answer = await api.call("POST", f"/v1/enrollments/{enrollment_id}/steps", {"step": "submit", "on": "2026-10-06"})
    assert answer.status_code == 422


async def test_an_enrollment_loaded_for_next_month_begins_by_itself(
    api: Api, practice_id: str, provider_id: str
) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id, status="approved", effective_from="2026-11-01")
    assert (await take(api, enrollment_id, "load"))["status"] == "loaded"
    assert await org.billable(api, practice_id, on="2026-11-01") == ("yes", "enrolled")
    await api.set_clock(datetime(2026, 11, 1, tzinfo=UTC))
    await api.run_due()
    found = await api.get(f"/v1/enrollments/{enrollment_id}")
    assert (found["status"], found["status_since"]) == ("effective", "2026-11-01")


async def test_a_termination_ends_what_is_billable(api: Api, practice_id: str, provider_id: str) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id, **org.ON_FILE)
    await take(api, enrollment_id, "terminate", effective_to="2026-10-31", reason="left the network")
    assert (await api.told(EnrollmentChanged))[-1].billable == [
        BillableSpan(effective_from=date(2024, 1, 1), effective_to=date(2026, 10, 31))
    ]
    assert await org.billable(api, practice_id, on="2026-11-01") == ("no", "enrollment_ended")


async def test_a_corrected_date_is_told_and_a_new_reference_is_not(
    api: Api, practice_id: str, provider_id: str
) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id, **org.ON_FILE)
    path = f"/v1/enrollments/{enrollment_id}"
    await api.patch(path, {"payer_reference": "HB-778"}, version=1)
    assert len(await api.told(EnrollmentChanged)) == 1
    await api.patch(path, {"effective_from": "2024-02-01"}, version=2)
    assert [str(e.billable[0].effective_from) for e in await api.told(EnrollmentChanged)] == [
        "2024-01-01",
        "2024-02-01",
    ]


async def test_a_closed_location_is_no_longer_billable(api: Api, practice_id: str, provider_id: str) -> None:
    location_id = await org.location(api, practice_id)
    await org.enrollment(api, provider_id, practice_id, location_ids=[location_id], **org.ON_FILE)
    assert await org.billable(api, practice_id, location_id=location_id) == ("yes", "enrolled")
    await api.patch(f"/v1/locations/{location_id}", {"status": "inactive"})
    assert (await api.told(EnrollmentChanged))[-1].billable == []
    assert await org.billable(api, practice_id, location_id=location_id) == ("no", "location_unknown")


async def test_only_practices_of_the_clinician_can_enroll_them(api: Api, provider_id: str) -> None:
    other = await org.practice(api, npi="1234567893", name="Elsewhere")
    body = {"provider_id": provider_id, "practice_id": other, "payer_id": "pay_harborbh"}
    answer = await api.call("POST", "/v1/enrollments", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/practice_id")


async def test_an_application_without_news_becomes_a_task_again_and_again(
    api: Api, practice_id: str, provider_id: str
) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id, status="submitted")
    assert await api.run_due() == 0
    await api.set_clock(datetime(2026, 10, 19, 9, tzinfo=UTC))
    await api.run_due()
    [task] = await api.tasks()
    assert (task["reason"], task["subject_id"], task["due_on"]) == (
        "enrollment_follow_up", enrollment_id, "2026-10-19",
    )  # fmt: skip
    await take(api, enrollment_id, "receive")
    assert await api.tasks() == []
