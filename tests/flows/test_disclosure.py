"""A session of a substance use program: no payer hears of it before the patient has consented."""

import pytest

from tests.platform import Scenario

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("platform")]


async def test_no_payer_is_asked_or_billed_before_the_patient_consents_and_then_all_goes_by_itself(
    platform: Scenario,
) -> None:
    patient = await platform.patient("pay_harborbh")
    async with platform.expects():
        claim = await platform.session(patient, sensitivity={"part2_program": True})
        await platform.claims_go_out()
    about = await platform.claim(claim)
    assert (about["status"], about["reasons"], about["attempts"]) == ("waiting", ["disclosure_hold"], 0)
    asked = await platform.client.everything(
        "eligibility", "/v1/eligibility-checks", encounter_id=about["encounter_id"]
    )
    assert asked == []
    assert (await platform.tasks())["disclosure_hold"] == 1

    async with platform.expects("encounter.created", "claim.submitted"):
        consent = {"external_id": "c-1", "practice_id": platform.practice_id, "given_on": "2026-10-01"}
        await platform.client.post("claims", "/v1/consents", consent | {"patient_external_id": patient.external_id})
        await platform.claims_go_out()
    assert await platform.status(claim) == "accepted"
    assert "NTE*ADD*42 CFR PART 2" in await platform.file_of(claim)
    assert (await platform.tasks())["disclosure_hold"] == 0
