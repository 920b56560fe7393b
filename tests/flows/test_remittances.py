"""835s that come when, or as, they should not."""

import pytest

from tests.platform import FRIDAY, TUESDAY, Scenario

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("platform")]


async def test_an_835_that_overtakes_its_277ca_is_posted_and_the_277ca_changes_nothing(platform: Scenario) -> None:
    patient = await platform.patient("pay_harborbh")
    await platform.payer_will(patient, "835_before_277ca")
    claim = await platform.session(patient)
    await platform.claims_go_out()
    assert await platform.status(claim) == "submitted"

    async with platform.expects("era.received", "payment.posted"):
        await platform.payer_pays(TUESDAY)
    assert await platform.status(claim) == "paid"
    async with platform.expects():
        await platform.until("20:00")
        await platform.until("20:00")

    acknowledged = await platform.claim(claim)
    assert (acknowledged["status"], acknowledged["submissions"][-1]["acknowledged"]) == ("paid", "accepted")


async def test_an_835_out_of_balance_waits_for_a_person_and_is_posted_when_decided(platform: Scenario) -> None:
    patient = await platform.patient("pay_harborbh")
    await platform.payer_will(patient, "unbalanced_835", cents=1_000, level="transaction")
    claim = await platform.session(patient)
    await platform.claims_go_out()
    async with platform.expects("era.received"):
        await platform.payer_pays(FRIDAY)
    assert await platform.ledger(claim) == {"billed": 15_000, "in_flight": 15_000}
    [era] = await platform.client.everything("remittance", "/v1/remittances", status="needs_decision")
    assert abs(era["difference_cents"]) == 1_000

    async with platform.expects("payment.posted"):
        decision = {"decision": "post", "reason": "the payer confirmed the amount by phone"}
        await platform.client.post("remittance", f"/v1/remittances/{era['id']}/decisions", decision)

    assert (await platform.ledger(claim))["payer_paid"] == 6_888
    totals = await platform.totals()
    assert abs(totals["suspense_cents"]) == 1_000
    assert totals["identity_difference_cents"] == totals["era_identity_difference_cents"] == 0
    assert totals["ledger_imbalance_cents"] == 0
