"""A session arrives; its payer is asked, and the answer is told, or a person knows why there is none."""

from datetime import UTC, datetime, timedelta

import pytest

from libs import x12
from libs.common.events.eligibility import EligibilityChecked
from tests.calls import NOON, Api
from tests.eligibility.payers import ACTIVE, COPAY, Payers
from tests.eligibility.visits import a_coverage, a_visit, checked, hold


async def test_a_session_is_checked_and_its_copay_told(api: Api, payers: Payers) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    [envelope] = await api.envelopes(EligibilityChecked)
    told = envelope.data
    assert (envelope.sequence, envelope.correlationid) == (1, visit.encounter_id)
    assert (told.outcome, told.payer_id, told.bill_payer_id) == ("active", "pay_harborbh", "pay_harborbh")
    assert (told.copay_cents, told.estimate_cents, told.authorization) == (2_500, 2_500, "not_required")
    assert told.sealed.member_id == "HB100200300"
    assert payers.asked_payers == ["HRBBH"]


async def test_the_question_names_payer_practice_member_and_day(api: Api, payers: Payers) -> None:
    await hold(api, a_visit(api))
    [question] = x12.read(payers.asked[0]).one(x12.EligibilityInquiry).questions
    assert (question.payer.id, question.provider.id) == ("HRBBH", "1999999992")
    assert (question.subscriber.id, question.subscriber.name) == ("HB100200300", "RIVERA")
    assert (str(question.service_date), question.service_types) == ("2026-10-05", ("MH",))
    assert x12.check(payers.asked[0]).errors == 0


async def test_a_child_is_asked_about_under_the_parents_membership(api: Api, payers: Payers) -> None:
    parent = {
        "relationship": "child",
        "subscriber_first_name": "Ann",
        "subscriber_last_name": "Rivera",
        "subscriber_dob": "1965-02-01",
    }
    visit = a_visit(api, coverages=[a_coverage(**parent)])
    await hold(api, visit)
    [question] = x12.read(payers.asked[0]).one(x12.EligibilityInquiry).questions
    assert question.dependent is not None
    assert (question.subscriber.first_name, question.dependent.first_name) == ("ANN", "JO")
    assert x12.check(payers.asked[0]).errors == 0
    told = await checked(api, visit)
    assert told.sealed is not None
    assert (told.sealed.relationship, told.sealed.subscriber_first_name) == ("child", "ANN")


async def test_a_session_without_coverage_is_self_pay_and_nobody_is_asked(api: Api, payers: Payers) -> None:
    visit = a_visit(api, coverages=[])
    await hold(api, visit)
    told = await checked(api, visit)
    assert (told.outcome, told.bill_payer_id, told.coverage_id) == ("self_pay", None, None)
    assert payers.asked == []


async def test_an_ended_plan_is_inactive_and_bills_nobody(api: Api, payers: Payers) -> None:
    payers.says["HRBBH"] = ("EB*6*IND*30",)
    visit = a_visit(api)
    await hold(api, visit)
    told = await checked(api, visit)
    assert (told.outcome, told.bill_payer_id, told.authorization) == ("inactive", None, "not_required")


@pytest.mark.parametrize(("reason", "outcome"), [("75", "not_found"), ("72", "rejected"), ("73", "rejected")])
async def test_a_member_that_the_payer_does_not_recognise_is_the_front_desks(
    api: Api, payers: Payers, reason: str, outcome: str
) -> None:
    payers.refuses["HRBBH"] = [reason]
    visit = a_visit(api)
    await hold(api, visit)
    told = await checked(api, visit)
    assert (told.outcome, told.reject_reasons, told.bill_payer_id) == (outcome, [reason], None)
    assert told.owner == "front_desk"
    assert await api.tasks() == [], "the session's claim has the one task"
    found = await api.get(f"/v1/eligibility-checks/{told.check_id}")
    assert (found["status"], found["errors"][0]["aaa"], found["errors"][0]["retryable"]) == ("failed", reason, False)


async def test_a_payer_that_cannot_answer_now_is_asked_again_in_business_time(api: Api, payers: Payers) -> None:
    payers.refuses["HRBBH"] = ["42", "80"]
    visit = a_visit(api)
    await hold(api, visit)
    assert await api.told(EligibilityChecked) == []
    await api.set_clock(NOON + timedelta(minutes=15))
    await api.run_due()
    assert len(payers.asked) == 2
    await api.set_clock(NOON + timedelta(minutes=45))
    await api.run_due()
    assert (await checked(api, visit)).outcome == "active"
    assert await api.tasks() == []
    numbers = {x12.read(raw).records[0].envelope.control_number for raw in payers.asked}
    assert len(numbers) == 3


async def test_a_payer_that_stays_silent_for_days_becomes_a_task(api: Api, payers: Payers) -> None:
    payers.refuses["HRBBH"] = ["42"] * 8
    visit = a_visit(api)
    await hold(api, visit)
    for hours in range(1, 60):
        await api.set_clock(NOON + timedelta(hours=hours))
        await api.run_due()
    told = await checked(api, visit)
    assert (told.outcome, told.reject_reasons, told.owner) == ("rejected", ["42"], "billing")


async def test_a_lost_connection_asks_the_same_question_again(api: Api, payers: Payers) -> None:
    payers.down = 1
    visit = a_visit(api)
    await api.deliver(visit)
    with pytest.raises(Exception, match="ConnectError"):
        await api.run_due()
    await api.run_due()
    assert (await checked(api, visit)).outcome == "active"
    assert len(payers.asked) == 1


async def test_an_answer_that_cannot_be_read_is_a_task(api: Api, payers: Payers) -> None:
    payers.raw = b"<html>maintenance</html>"
    visit = a_visit(api)
    await hold(api, visit)
    told = await checked(api, visit)
    assert (told.outcome, told.reject_reasons, told.owner) == ("rejected", ["unreadable"], "billing")


async def test_a_session_sent_again_changed_is_checked_again(api: Api, payers: Payers) -> None:
    await hold(api, a_visit(api))
    payers.says["HRBBH"] = (ACTIVE, COPAY.replace("*25*", "*40*"))
    changed = a_visit(api, revision=2, place_of_service="10")
    await hold(api, changed)
    told = await api.envelopes(EligibilityChecked)
    assert [(event.sequence, event.data.copay_cents) for event in told] == [(1, 2_500), (2, 4_000)]


async def test_an_older_revision_changes_nothing(api: Api, payers: Payers) -> None:
    await hold(api, a_visit(api, revision=2))
    await hold(api, a_visit(api, revision=1, coverages=[]))
    assert [event.outcome for event in await api.told(EligibilityChecked)] == ["active"]


async def test_the_answer_to_a_question_that_was_overtaken_is_not_told(api: Api, payers: Payers) -> None:
    payers.refuses["HRBBH"] = ["42"]
    await hold(api, a_visit(api))
    await hold(api, a_visit(api, revision=2, coverages=[]))
    await api.set_clock(NOON + timedelta(hours=1))
    await api.run_due()
    assert [event.outcome for event in await api.told(EligibilityChecked)] == ["self_pay"]


async def test_a_check_can_be_asked_for_and_followed(api: Api, payers: Payers) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    coverage_id = (await checked(api, visit)).coverage_id
    body = {"coverage_id": coverage_id, "as_of_date": "2026-10-20", "services": [{"procedure": "90834"}]}
    answer = await api.call("POST", "/v1/eligibility-checks", body)
    assert answer.status_code == 202
    pending = await api.get(answer.headers["Location"])
    assert (pending["status"], pending["benefits"]) == ("pending", [])
    await api.run_due()
    found = await api.get(answer.headers["Location"])
    assert (found["status"], found["coverage"]["plan"], found["as_of_date"]) == (
        "completed",
        "EXAMPLE PLAN",
        "2026-10-20",
    )
    assert found["benefits"][0]["copay_cents"] == 2_500
    assert found["valid_until"] == "2026-10-31"
    raw = await api.call("GET", found["raw"]["x12_271_ref"])
    assert raw.content.startswith(b"ISA*00*")
    assert len(await api.told(EligibilityChecked)) == 1


async def test_a_check_without_a_session_that_the_payer_refuses_is_a_task_until_it_is_answered(
    api: Api, payers: Payers
) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    coverage_id = (await checked(api, visit)).coverage_id
    payers.refuses["HRBBH"] = ["75"]
    body = {"coverage_id": coverage_id, "as_of_date": "2026-10-20", "services": [{"procedure": "90834"}]}
    asked = (await api.call("POST", "/v1/eligibility-checks", body)).json()
    await api.run_due()
    [task] = await api.tasks()
    assert (task["reason"], task["owner"], task["subject_id"]) == (
        "eligibility_check_failed", "front_desk", asked["id"],
    )  # fmt: skip


async def test_a_session_of_last_year_takes_the_same_way(api: Api, payers: Payers) -> None:
    visit = a_visit(api, service_date=datetime(2026, 2, 3, tzinfo=UTC).date())
    await hold(api, visit)
    assert (await checked(api, visit)).outcome == "active"
    assert b"DTP*291*D8*20260203~" in payers.asked[0]
