"""What payers refuse, and how it is won, or decided, in the end."""

import pytest

from tests.platform import FRIDAY, TUESDAY, Scenario

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("platform")]


async def test_a_partial_payment_is_posted_and_its_rest_is_denied(platform: Scenario) -> None:
    claim = await platform.accepted_claim(billed_cents=20_000)

    async with platform.expects("era.received", "payment.posted", "denial.raised"):
        await platform.receive_835("835/partial_payment.x12", claim=claim)

    assert await platform.ledger(claim) == {
        "billed": 20_000, "payer_paid": 12_000, "contractual": 5_000, "denied_open": 3_000,
    }  # fmt: skip
    assert await platform.status(claim) == "partially_paid"
    [denial] = await platform.denials(claim)
    assert (denial["status"], denial["group_code"], denial["amount_cents"]) == ("open", "CO", 3_000)


async def test_the_same_835_again_changes_nothing(platform: Scenario) -> None:
    claim = await platform.accepted_claim(billed_cents=20_000)
    await platform.receive_835("835/partial_payment.x12", claim=claim)
    before = await platform.ledger(claim)

    async with platform.expects():
        await platform.receive_again()

    assert await platform.ledger(claim) == before


async def test_a_denied_claim_is_corrected_replaced_and_paid(platform: Scenario) -> None:
    patient = await platform.patient("pay_harborbh")
    await platform.payer_will(patient, "deny_16")
    claim = await platform.session(patient)
    await platform.claims_go_out()
    async with platform.expects("era.received", "payment.posted", "denial.raised"):
        await platform.payer_pays(TUESDAY)
    assert await platform.status(claim) == "denied"
    assert await platform.ledger(claim) == {"billed": 15_000, "denied_open": 15_000}

    [denial] = await platform.denials(claim)
    async with platform.expects("denial.resolved", "claim.submitted"):
        corrected = {"why": "diagnosis completed", "diagnoses": ["F41.1"]}
        await platform.client.post("claims", f"/v1/denials/{denial['id']}/corrections", corrected)
        await platform.claims_go_out()
    replacement = (await platform.claim(claim))["submissions"][-1]
    assert (replacement["frequency"], replacement["attempt"]) == ("7", 2)
    async with platform.expects("era.received", "payment.posted", "payment.posted", "denial.resolved"):
        await platform.payer_pays(FRIDAY)

    assert await platform.ledger(claim) == {
        "billed": 15_000, "payer_paid": 6_888, "contractual": 6_390, "patient": 1_722,
    }  # fmt: skip
    assert (await platform.totals())["ledger_imbalance_cents"] == 0
    assert await platform.status(claim) == "paid"
