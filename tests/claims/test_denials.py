"""A denial becomes a case whose root cause is our own finding, not the payer's code."""

from datetime import date

import pytest

from libs.common.events import AuthorizationChanged
from libs.common.events.eligibility import AuthorizationIdentity
from tests.claims.conftest import Desk


async def authorize(desk: Desk, patient_id: str) -> None:
    await desk.api.deliver(
        AuthorizationChanged(
            authorization_id="ath_1",
            patient_id=patient_id,
            practice_id="prc_1",
            payer_id="pay_harborbh",
            status="approved",
            unit="visit",
            approved_units=8,
            reserved_units=0,
            consumed_units=1,
            sealed=AuthorizationIdentity(
                number="A77", codes=["90834"], effective_from=date(2026, 9, 1), effective_to=date(2026, 12, 31)
            ),
        )
    )


async def test_an_authorization_on_file_that_was_not_on_the_claim_is_our_own_slip(desk: Desk) -> None:
    encounter = await desk.submitted()
    await authorize(desk, encounter["patient_id"])
    case = await desk.deny(encounter, "197", remark_codes=["M62"])
    assert (case["category"], case["action"]) == ("authorization", "corrected_claim")
    assert case["root_cause"] == "an authorization is on file and its number was not on the claim"
    assert case["evidence"] == {"number_on_claim": False, "authorizations_on_file": ["ath_1"]}


async def test_without_any_authorization_the_way_is_retroactive_or_appeal(desk: Desk) -> None:
    case = await desk.deny(await desk.submitted(), "197")
    assert (case["action"], case["root_cause"]) == ("appeal", "no authorization was obtained before the service")


async def test_a_clinician_whom_we_know_to_be_enrolled_has_not_been_loaded(desk: Desk) -> None:
    case = await desk.deny(await desk.submitted(), "B7", remark_codes=["N570"])
    assert (case["category"], case["owner"]) == ("credentialing_enrollment", "credentialing")
    assert "has not loaded" in case["root_cause"]


@pytest.mark.parametrize(
    ("reason", "group", "remarks", "category", "action", "owner"),
    [
        ("4", "CO", ["M78"], "coding", "corrected_claim", "billing"),
        ("16", "CO", ["MA27"], "patient_data", "corrected_claim", "front_desk"),
        ("18", "OA", [], "duplicate", "decide", "billing"),
        ("27", "PR", [], "eligibility", "corrected_claim", "front_desk"),
        ("29", "CO", [], "timely_filing", "appeal", "billing"),
        ("50", "CO", ["N115"], "medical_necessity", "appeal", "clinician"),
        ("35", "PR", [], "benefit_limit", "bill_patient", "billing"),
        ("ZZ9", "CO", [], "other", "appeal", "billing"),
    ],
)
async def test_each_reason_has_a_category_a_next_step_and_an_owner(
    desk: Desk, reason: str, group: str, remarks: list[str], category: str, action: str, owner: str
) -> None:
    case = await desk.deny(await desk.submitted(), reason, group=group, remark_codes=remarks)
    assert (case["category"], case["action"], case["owner"]) == (category, action, owner)
    task = (await desk.api.tasks())[0]
    assert (task["reason"], task["owner"], task["amount_cents"]) == (f"denial_{category}", owner, 17500)
    assert task["due_on"] == "2026-10-19"


async def test_the_deadlines_are_the_payers(desk: Desk) -> None:
    case = await desk.deny(await desk.submitted(), "4")
    assert (case["correct_by"], case["appeal_by"]) == ("2027-04-10", "2027-04-10")


async def test_a_denial_that_comes_before_its_posting_waits_for_nothing(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "50")
    listed = (await desk.api.get("/v1/denials?status=open&category=medical_necessity"))["data"]
    assert [one["id"] for one in listed] == [case["id"]]
