"""A denial is contested, or given up, by a person."""

from datetime import UTC, datetime

from libs.common.events import DenialResolved
from tests.claims.conftest import Desk


async def test_an_appeal_that_is_lost_gives_the_case_back_and_can_be_written_off(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "50")
    assert (case["action"], case["owner"]) == ("appeal", "clinician")
    appeal = await desk.api.post(f"/v1/denials/{case['id']}/appeals", {"letter_ref": "doc_1"})
    assert (appeal["level"], appeal["status"]) == (1, "filed")
    assert (await desk.claim(encounter))["status"] == "appealed"

    await desk.api.post(f"/v1/appeals/{appeal['id']}/outcome", {"outcome": "upheld"})
    assert (await desk.claim(encounter))["status"] == "denied"
    again = await desk.api.post(f"/v1/denials/{case['id']}/appeals", {"kind": "reconsideration"})
    assert again["level"] == 2
    await desk.api.post(f"/v1/appeals/{again['id']}/outcome", {"outcome": "upheld"})
    closed = await desk.api.post(f"/v1/denials/{case['id']}/write-off", {"why": "two levels lost"})
    assert closed["status"] == "written_off"
    assert (await desk.claim(encounter))["status"] == "closed"
    told = [event.resolution for event in await desk.api.told(DenialResolved)]
    assert told == ["appealed", "upheld", "appealed", "upheld", "written_off"]
    assert await desk.api.tasks() == []


async def test_an_appeal_that_is_won_is_overturned_by_its_money(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "50")
    appeal = await desk.api.post(f"/v1/denials/{case['id']}/appeals", {})
    await desk.api.post(f"/v1/appeals/{appeal['id']}/outcome", {"outcome": "overturned"})
    assert (await desk.api.get(f"/v1/denials/{case['id']}"))["status"] == "appealed"
    await desk.post(encounter, "paid", day=30, paid=9000)
    assert (await desk.api.get(f"/v1/denials/{case['id']}"))["status"] == "overturned"
    assert (await desk.claim(encounter))["status"] == "paid"


async def test_only_what_the_payer_calls_the_patients_can_be_billed_to_the_patient(desk: Desk) -> None:
    encounter = await desk.submitted()
    contractual = await desk.deny(encounter, "50")
    answer = await desk.api.call("POST", f"/v1/denials/{contractual['id']}/bill-patient", {"why": "no"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_the_patients")


async def test_a_visit_limit_is_billed_to_the_patient_by_decision(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "119", group="PR")
    closed = await desk.api.post(f"/v1/denials/{case['id']}/bill-patient", {"why": "limit reached"})
    assert closed["status"] == "billed_to_patient"
    assert (await desk.claim(encounter))["status"] == "patient_due"


async def test_an_appeal_that_nobody_answers_is_somebodys_work(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "50")
    await desk.api.set_clock(datetime(2026, 10, 12, 12, tzinfo=UTC))
    await desk.api.post(f"/v1/denials/{case['id']}/appeals", {})
    await desk.at(9, day=11, month=12)
    assert "appeal_unanswered" in {task["reason"] for task in await desk.api.tasks()}


async def test_an_appeal_after_its_clock_is_refused(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "50")
    await desk.api.set_clock(datetime(2027, 6, 1, 12, tzinfo=UTC))
    answer = await desk.api.call("POST", f"/v1/denials/{case['id']}/appeals", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "appeal_too_late")
