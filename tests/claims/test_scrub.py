"""A claim that waits says for what, and goes on by itself when the news come."""

from datetime import date

from libs.common.events import ClaimUpdated, EligibilityChecked
from tests.claims.conftest import Desk, an_encounter


async def status(desk: Desk, encounter: dict[str, object]) -> tuple[str, list[str]]:
    claim = await desk.claim(encounter)
    return claim["status"], claim["reasons"]


async def test_a_claim_waits_for_eligibility_and_goes_on(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    assert await status(desk, encounter) == ("waiting", ["eligibility"])
    assert await desk.api.tasks() == []
    await desk.check(encounter["id"])
    assert await status(desk, encounter) == ("ready", [])
    told = [(event.status, event.clean) for event in await desk.api.told(ClaimUpdated)]
    assert told == [("waiting", True), ("ready", True)]


async def test_a_claim_waits_until_its_clinician_may_bill_the_payer_that_it_goes_to(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"], bill_payer_id="pay_summit")
    assert await status(desk, encounter) == ("waiting", ["enrollment"])
    await desk.at(18)
    task = (await desk.api.tasks())[0]
    assert task["detail"].startswith("the clinician may not bill this payer")
    assert (task["reason"], task["owner"], task["subject_id"]) == (
        "enrollment",
        "credentialing",
        encounter["claims"][0],
    )

    await desk.enroll("pay_summit", since=date(2026, 10, 6))
    await desk.api.run_due()
    assert await status(desk, encounter) == ("waiting", ["enrollment"])
    await desk.enroll("pay_summit", since=date(2026, 10, 1))
    await desk.api.run_due()
    assert await status(desk, encounter) == ("ready", [])
    assert await desk.api.tasks() == []
    assert (await desk.api.told(ClaimUpdated))[-1].clean


async def test_who_is_asked_about_a_claim_that_waits_for_the_payers_word_reads_what_it_waits_for(desk: Desk) -> None:
    await desk.send(an_encounter())
    await desk.at(18)
    [task] = await desk.api.tasks()
    assert (task["reason"], task["owner"]) == ("eligibility", "front_desk")
    assert task["detail"].startswith("the payer has not yet said whether it covers the patient")


async def test_a_used_up_authorization_stops_the_claim_until_there_is_another(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"], authorization="exhausted")
    assert await status(desk, encounter) == ("waiting", ["authorization_exhausted"])
    await desk.at(18)
    assert [(task["reason"], task["owner"]) for task in await desk.api.tasks()] == [
        ("authorization_exhausted", "authorizations")
    ]
    await desk.check(encounter["id"], authorization="reserved", authorization_id="ath_2")
    assert await status(desk, encounter) == ("ready", [])
    told = (await desk.api.told(ClaimUpdated))[-1]
    assert (told.authorization_id, told.authorized_units) == ("ath_2", 1)


async def test_a_patient_whom_the_payer_does_not_know_is_work_for_the_front_desk(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"], outcome="not_found", reject_reasons=["75"], owner="front_desk")
    assert await status(desk, encounter) == ("held", ["member_not_found"])
    [task] = await desk.api.tasks()
    assert (task["owner"], "75" in task["detail"]) == ("front_desk", True)
    await desk.check(encounter["id"], outcome="rejected", reject_reasons=["43"], owner="credentialing")
    [task] = await desk.api.tasks()
    assert (task["reason"], task["owner"]) == ("eligibility_rejected", "credentialing")
    await desk.check(encounter["id"])
    assert await status(desk, encounter) == ("ready", [])
    assert await desk.api.tasks() == []


async def test_what_was_ready_is_looked_at_again_when_the_answer_changes(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    await desk.check(encounter["id"], outcome="inactive")
    assert await status(desk, encounter) == ("held", ["coverage_inactive"])


async def test_an_older_answer_changes_nothing(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    await desk.check(encounter["id"])
    row = await desk.api.get(f"/v1/encounters/{encounter['id']}")
    stale = EligibilityChecked(
        encounter_id=encounter["id"],
        check_id="elg_0",
        patient_id=row["patient_id"],
        practice_id=row["practice_id"],
        coverage_id=None,
        payer_id=None,
        bill_payer_id=None,
        outcome="self_pay",
        authorization="unknown",
    )
    await desk.api.deliver(stale, sequence=1)
    assert await status(desk, encounter) == ("ready", [])


async def test_the_charge_master_prices_what_the_ehr_left_open(desk: Desk) -> None:
    body = {"practice_id": "prc_1", "code": "90834", "charge_cents": 16000, "effective_from": "2026-01-01"}
    assert (await desk.api.call("PUT", "/v1/charges", body)).status_code == 200
    newer = body | {"charge_cents": 18000, "effective_from": "2026-10-06"}
    await desk.api.call("PUT", "/v1/charges", newer)
    encounter = await desk.send(an_encounter(lines=[]))
    await desk.check(encounter["id"])
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["charge_cents"]) == ("ready", 16000)
    assert claim["lines"][0]["reason"] == "41 documented minutes are in 38 to 52"
    listed = (await desk.api.get("/v1/charges?code=90834"))["data"]
    assert [(one["charge_cents"], one["effective_to"]) for one in listed] == [(16000, "2026-10-05"), (18000, None)]


async def test_without_any_charge_a_person_names_it(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(lines=[]))
    await desk.check(encounter["id"])
    assert await status(desk, encounter) == ("held", ["charge_missing"])
    claim = await desk.claim(encounter)
    assert [finding["rule_id"] for finding in claim["checks"] if finding["severity"] == "error"] == ["BH-CHG-001"]
    changes = {"lines": [{"line_id": claim["lines"][0]["id"], "charge_cents": 17000}]}
    assert (await desk.api.post(f"/v1/claims/{claim['id']}/corrections", changes))["status"] == "ready"


async def test_minutes_that_do_not_fit_the_code_are_held_with_the_code_that_does(desk: Desk) -> None:
    line = {"line_ref": "1", "code": "90837", "charge_cents": 20000}
    encounter = await desk.send(an_encounter(lines=[line]))
    await desk.check(encounter["id"])
    assert await status(desk, encounter) == ("held", ["up_code"])
    view = await desk.api.get(f"/v1/encounters/{encounter['id']}")
    error = next(one for one in view["checks"]["results"] if one["severity"] == "error")
    assert (error["code"], error["suggestion"], error["message"]) == (
        "up_code",
        "90834",
        "41 documented minutes support 90834 x 1",
    )
