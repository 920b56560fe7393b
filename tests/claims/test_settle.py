"""The payer's decision moves the claim, also before its acknowledgement."""

import pytest

from tests.claims.conftest import Desk


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("paid", "paid"),
        ("partially_paid", "partially_paid"),
        ("denied", "denied"),
        ("patient_responsibility", "patient_due"),
    ],
)
async def test_a_decision_may_come_before_the_277ca(desk: Desk, outcome: str, status: str) -> None:
    encounter = await desk.submitted()
    await desk.post(encounter, outcome, paid=9000, patient=2500)
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["payer_control_number"]) == (status, "ICN835")
    desk.acknowledge(claim["submissions"][0]["patient_control_number"])
    await desk.at(20)
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["submissions"][0]["acknowledged"]) == (status, "accepted")


async def test_a_reversal_brings_the_claim_back_to_the_payer_and_a_correction_pays_it(desk: Desk) -> None:
    encounter = await desk.submitted()
    await desk.post(encounter, "paid", paid=9000)
    await desk.post(encounter, "reversed", day=20, paid=-9000)
    assert (await desk.claim(encounter))["status"] == "accepted"
    await desk.post(encounter, "paid", day=20, paid=11000)
    assert (await desk.claim(encounter))["status"] == "paid"


async def test_money_for_an_earlier_submission_waits_while_the_claim_is_being_corrected(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "4")
    claim = await desk.claim(encounter)
    changes = {"lines": [{"line_id": claim["lines"][0]["id"], "modifiers": ["95", "HO"]}]}
    await desk.api.post(f"/v1/denials/{case['id']}/corrections", changes)
    await desk.post(encounter, "paid", day=13, paid=9000)
    assert (await desk.claim(encounter))["status"] == "ready"
    await desk.at(18, day=14)
    assert (await desk.claim(encounter))["status"] == "paid"
