"""A denied claim is put right and goes out again, as its payer takes it."""

from datetime import UTC, date, datetime, time, timedelta

from libs.common.events import ClaimSubmitted, DenialResolved
from tests.claims.conftest import Desk, an_encounter


async def resolutions(desk: Desk) -> list[str]:
    return [event.resolution for event in await desk.api.told(DenialResolved)]


async def test_a_denial_is_corrected_as_a_replacement_and_overturned_when_it_is_paid(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "4", remark_codes=["M78"])
    assert (case["status"], case["category"], case["action"]) == ("open", "coding", "corrected_claim")
    claim = await desk.claim(encounter)
    assert [task["reason"] for task in await desk.api.tasks()] == ["denial_coding"]

    changes = {"why": "level modifier", "lines": [{"line_id": claim["lines"][0]["id"], "modifiers": ["95", "HO"]}]}
    corrected = await desk.api.post(f"/v1/denials/{case['id']}/corrections", changes)
    assert (corrected["status"], corrected["frequency"]) == ("ready", "7")
    assert await resolutions(desk) == []

    await desk.at(18, day=13)
    sent = desk.sent_file().claims[0]
    assert (sent.frequency, sent.original_reference, sent.lines[0].modifiers) == ("7", "ICN835", ("95", "HO"))
    assert await resolutions(desk) == ["resubmitted"]
    assert await desk.api.tasks() == []
    first, second = await desk.api.told(ClaimSubmitted)
    assert (second.attempt, second.frequency, second.replaces) == (2, "7", first.submission_id)
    assert second.patient_control_number != first.patient_control_number

    await desk.post(encounter, "paid", day=26, paid=9000, patient=2500)
    assert await resolutions(desk) == ["resubmitted", "overturned"]
    assert (await desk.claim(encounter))["status"] == "paid"
    assert (await desk.api.get(f"/v1/denials/{case['id']}"))["status"] == "overturned"


async def test_medicare_gets_a_new_original(desk: Desk) -> None:
    await desk.enroll("pay_medicare")
    encounter = await desk.send(an_encounter(coverages=[medicare()]))
    await desk.check(encounter["id"], payer_id="pay_medicare", bill_payer_id="pay_medicare")
    await desk.at(18)
    assert desk.sent_file().claims[0].lines[0].modifiers == ()
    case = await desk.deny(encounter, "11")
    await desk.api.post(f"/v1/denials/{case['id']}/corrections", {"diagnoses": ["F41.1", "F33.1"]})
    await desk.at(18, day=13)
    sent = desk.sent_file().claims[0]
    assert (sent.frequency, sent.original_reference, sent.diagnoses) == ("1", "", ("F411", "F331"))


def medicare() -> dict[str, object]:
    return {"rank": 1, "payer": {"id": "pay_medicare"}, "member_id": "1EG4TE5MK73"}


async def test_a_carved_out_claim_goes_to_the_administrator_as_a_new_original(desk: Desk) -> None:
    await desk.enroll("pay_meridian")
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"], payer_id="pay_meridian", bill_payer_id="pay_meridian")
    await desk.at(18)
    case = await desk.deny(encounter, "109")
    assert (case["category"], case["action"]) == ("eligibility", "other_payer")
    assert case["evidence"]["administrator"] == "pay_harborbh"
    route = {"route": {"payer_id": "pay_harborbh", "member_id": "HB123"}}
    await desk.api.post(f"/v1/denials/{case['id']}/corrections", route)
    await desk.at(18, day=13)
    sent = desk.sent_file().claims[0]
    assert (sent.payer.id, sent.frequency, sent.subscriber.party.id) == ("HRBBH", "1", "HB123")
    assert (await desk.claim(encounter))["payer_id"] == "pay_harborbh"


async def test_a_payer_that_calls_a_claim_unprocessable_gets_a_new_original(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "16", remark_codes=["MA130"])
    assert case["action"] == "new_claim"
    await desk.api.post(f"/v1/denials/{case['id']}/corrections", {"authorization_number": "A-1"})
    await desk.at(18, day=13)
    assert (desk.sent_file().claims[0].frequency, desk.sent_file().claims[0].authorization) == ("1", "A-1")


async def test_a_denial_that_is_repeated_supersedes_the_earlier_case(desk: Desk) -> None:
    encounter = await desk.submitted()
    first = await desk.deny(encounter, "4")
    await desk.api.post(f"/v1/denials/{first['id']}/corrections", {"authorization_number": "A-1"})
    await desk.at(18, day=13)
    second = await desk.deny(encounter, "197")
    assert (await desk.api.get(f"/v1/denials/{first['id']}"))["status"] == "superseded"
    assert second["status"] == "open"


async def test_a_replacement_that_is_rejected_gives_its_case_back(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "4")
    await desk.api.post(f"/v1/denials/{case['id']}/corrections", {"authorization_number": "A-1"})
    await desk.at(18, day=13)
    pcn = (await desk.claim(encounter))["submissions"][-1]["patient_control_number"]
    desk.acknowledge(pcn, category="A3", code="464")
    await desk.at(20, day=13)
    assert (await desk.claim(encounter))["status"] == "rejected"
    assert (await desk.api.get(f"/v1/denials/{case['id']}"))["status"] == "open"


async def test_a_change_to_a_line_that_is_not_there_is_refused(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "4")
    answer = await desk.api.call(
        "POST", f"/v1/denials/{case['id']}/corrections", {"lines": [{"line_id": "sln_none", "units": 2}]}
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/lines/0/line_id")


async def test_a_correction_after_the_payers_limit_is_refused(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "4")
    await desk.api.set_clock(later(case))
    answer = await desk.api.call("POST", f"/v1/denials/{case['id']}/corrections", {"authorization_number": "A-1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late")


def later(case: dict[str, object]) -> datetime:
    limit = date.fromisoformat(str(case["correct_by"])) + timedelta(days=1)
    return datetime.combine(limit, time(12), UTC)
