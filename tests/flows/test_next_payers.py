"""What the first payer leaves to the patient goes to the second: by our claim, or passed on by the payer itself."""

from dataclasses import replace
from typing import Any

import pytest

from deploy.local.demo.practice import Patient
from libs import x12
from libs.common.ids import uuid7
from tests import opening
from tests.platform import FRIDAY, TUESDAY, Scenario

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("platform")]


async def insured_twice(platform: Scenario) -> tuple[Patient, list[dict[str, Any]]]:
    """A patient of Harbor whom Summit insures too, and the coverages as the EHR names them."""
    patient = await platform.patient("pay_harborbh")
    second = replace(patient, payer_id="pay_summit", member_id=f"S{uuid7().int % 10**9:09d}")
    await opening.enrol(platform.client, second, {})
    coverages = [
        {"rank": rank, "payer": {"id": one.payer_id}, "member_id": one.member_id, "relationship": "self"}
        for rank, one in enumerate((patient, second), start=1)
    ]
    return patient, coverages


async def balanced(platform: Scenario) -> bool:
    totals = await platform.totals()
    return (totals["identity_difference_cents"], totals["ledger_imbalance_cents"]) == (0, 0)


async def test_the_second_payer_pays_what_the_first_left_to_the_patient(platform: Scenario) -> None:
    patient, coverages = await insured_twice(platform)
    claim = await platform.session(patient, coverages=coverages)
    await platform.claims_go_out()
    async with platform.expects("era.received", "payment.posted"):
        await platform.payer_pays(TUESDAY)
    first = await platform.ledger(claim)
    left = first["in_flight"]
    assert left > 0
    assert first == {"billed": 15_000, "payer_paid": first["payer_paid"], "contractual": 6_390, "in_flight": left}
    assert await platform.patient_owes(claim) == 0
    about = await platform.claim(claim)
    assert (about["status"], about["rank"], about["payer_id"]) == ("ready", 2, "pay_summit")

    async with platform.expects("claim.submitted"):
        await platform.claims_go_out()
    assert await platform.status(claim) == "accepted"
    text = await platform.file_of(claim)
    assert x12.check(text.encode()).findings == ()
    assert f"SVD*HRBBH*{first['payer_paid'] / 100:g}*HC:90834**1~" in text

    async with platform.expects("era.received", "payment.posted"):
        await platform.payer_pays(FRIDAY)
    settled = await platform.ledger(claim)
    assert settled.get("in_flight", 0) == 0
    assert settled["payer_paid"] + settled.get("patient", 0) == first["payer_paid"] + left
    assert settled["payer_paid"] > first["payer_paid"]
    about = await platform.claim(claim)
    assert (about["status"], about["rank"]) == ("paid", 2)
    assert await platform.patient_owes(claim) == settled.get("patient", 0)
    assert await balanced(platform)


async def test_a_claim_that_the_first_payer_has_passed_on_is_sent_by_nobody_else(platform: Scenario) -> None:
    patient, coverages = await insured_twice(platform)
    await platform.payer_will(patient, "no_835")
    claim = await platform.session(patient, coverages=coverages)
    await platform.claims_go_out()
    async with platform.expects("era.received", "payment.posted"):
        await platform.receive_835("835/passed_on.x12", claim=claim)
    assert await platform.status(claim) == "forwarded"
    assert await platform.ledger(claim) == {
        "billed": 15_000, "payer_paid": 9_000, "contractual": 3_000, "in_flight": 3_000,
    }  # fmt: skip
    async with platform.expects():
        await platform.claims_go_out()

    async with platform.expects("era.received", "payment.posted"):
        await platform.receive_835("835/second_payer.x12", claim=claim)
    assert await platform.status(claim) == "paid"
    assert await platform.ledger(claim) == {
        "billed": 15_000, "payer_paid": 11_000, "contractual": 3_000, "patient": 1_000,
    }  # fmt: skip
    assert await balanced(platform)
