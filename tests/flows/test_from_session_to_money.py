"""From a session to the bank, and what the patient owes."""

import pytest

from tests.platform import FRIDAY, THURSDAY, TUESDAY, Scenario

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("platform")]


async def test_a_session_becomes_money_in_the_bank(platform: Scenario) -> None:
    patient = await platform.patient("pay_harborbh")

    async with platform.expects("encounter.created", "eligibility.checked"):
        claim = await platform.session(patient)
    async with platform.expects("claim.submitted"):
        await platform.claims_go_out()
    assert await platform.status(claim) == "accepted"
    async with platform.expects("era.received", "payment.posted"):
        await platform.payer_pays(TUESDAY)
    async with platform.expects("deposit.matched"):
        await platform.until("12:00")
        await platform.bank()

    assert await platform.ledger(claim) == {
        "billed": 15_000, "payer_paid": 6_888, "contractual": 6_390, "patient": 1_722,
    }  # fmt: skip
    totals = await platform.totals()
    assert (totals["cash_cents"], totals["era_clearing_cents"], totals["ledger_imbalance_cents"]) == (6_888, 0, 0)
    assert await platform.patient_owes(claim) == 1_722
    assert await platform.status(claim) == "paid"


async def test_a_copay_taken_at_the_visit_is_applied_when_the_payer_has_decided(platform: Scenario) -> None:
    patient = await platform.patient("pay_summit", copay_cents=2_500)
    claim = await platform.session(patient)
    assert (await platform.totals())["patient_unapplied_cents"] == 2_500

    await platform.claims_go_out()
    await platform.payer_pays(THURSDAY)

    ledger = await platform.ledger(claim)
    assert ledger["patient_paid"] == 2_500
    assert "patient" not in ledger
    assert (await platform.totals())["patient_unapplied_cents"] == 0
    assert await platform.status(claim) == "paid"


async def test_a_plan_that_carves_out_behavioral_health_is_billed_at_its_administrator(platform: Scenario) -> None:
    patient = await platform.patient("pay_meridian", deductible_used_cents=30_000)

    claim = await platform.session(patient)
    assert (await platform.claim(claim))["payer_id"] == "pay_harborbh"
    await platform.claims_go_out()
    await platform.payer_pays(FRIDAY)

    assert await platform.ledger(claim) == {
        "billed": 15_000, "payer_paid": 5_610, "contractual": 6_390, "patient": 3_000,
    }  # fmt: skip
