"""A person stops a claim, lets it go on, or takes it back."""

from tests.claims.conftest import Desk, an_encounter


async def test_a_claim_that_a_person_holds_waits_for_a_person(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    claim_id = encounter["claims"][0]
    held = await desk.api.post(f"/v1/claims/{claim_id}/hold", {"why": "patient asked"})
    assert (held["status"], held["reasons"], held["clean"]) == ("held", ["held_by_person", "eligibility"], False)
    await desk.check(encounter["id"])
    assert (await desk.claim(encounter))["status"] == "held"
    released = await desk.api.post(f"/v1/claims/{claim_id}/release", {"why": "settled"})
    assert released["status"] == "ready"
    assert await desk.api.tasks() == []


async def test_a_finding_may_be_accepted_unless_it_must_be_put_right(desk: Desk) -> None:
    late = {"signed_at": "2026-12-05T17:10:00-05:00"}
    encounter = await desk.send(an_encounter(documentation=an_encounter()["documentation"] | late))
    await desk.check(encounter["id"])
    claim_id = encounter["claims"][0]
    assert (await desk.claim(encounter))["reasons"] == ["note_signed_too_late"]
    refused = await desk.api.call("POST", f"/v1/claims/{claim_id}/release", {"why": "no", "accept": ["up_code"]})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "never_accepted")
    accept = {"why": "illness documented", "accept": ["note_signed_too_late"]}
    assert (await desk.api.post(f"/v1/claims/{claim_id}/release", accept))["status"] == "ready"


async def test_only_a_claim_that_no_payer_has_can_be_voided(desk: Desk) -> None:
    encounter = await desk.submitted()
    claim_id = encounter["claims"][0]
    answer = await desk.api.call("POST", f"/v1/claims/{claim_id}/void", {"why": "mistake"})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_sent")
    hold = await desk.api.call("POST", f"/v1/claims/{claim_id}/hold", {"why": "too late"})
    assert (hold.status_code, hold.json()["code"]) == (409, "state_conflict")
    other = await desk.send(an_encounter("ehr-2", patient={"external_id": "MRN-2"}))
    assert (await desk.api.post(f"/v1/claims/{other['claims'][0]}/void", {"why": "mistake"}))["status"] == "void"
