"""A session of a substance use program reaches no payer before the patient consents, and none after it is revoked."""

from typing import Any

import orjson
import pytest

from libs.common.events import ClaimUpdated, EncounterCreated, TaskChanged
from tests.claims.conftest import PRACTICE, Desk, an_encounter

pytestmark = pytest.mark.thorough
PROTECTED = {"part2_program": True, "consent_ids": ["cns-secret-9"]}
NOTICE = "42 CFR PART 2 PROHIBITS UNAUTHORIZED USE OR DISCLOSURE OF THESE RECORDS"


async def consent(desk: Desk, **changes: Any) -> dict[str, Any]:
    body = {"external_id": "cns-secret-9", "practice_id": PRACTICE, "patient_external_id": "MRN-5521"}
    return await desk.api.post("/v1/consents", body | {"given_on": "2026-10-01"} | changes)


async def test_without_consent_nobody_is_asked_or_told_and_the_front_desk_has_a_task(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(sensitivity=PROTECTED))
    assert await desk.api.told(EncounterCreated) == [], "eligibility asks the payer as soon as it hears of it"
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["reasons"], claim["owner"]) == ("waiting", ["disclosure_hold"], "front_desk")
    await desk.at(18)
    assert desk.clearinghouse.files == []
    [task] = await desk.api.tasks()
    assert (task["reason"], task["owner"]) == ("disclosure_hold", "front_desk")
    assert "consent" in task["detail"]


async def test_the_claim_goes_on_by_itself_when_the_consent_comes_and_carries_the_notice(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(sensitivity=PROTECTED))
    await desk.at(18)
    await consent(desk)
    [told] = await desk.api.told(EncounterCreated)
    assert told.encounter_id == encounter["id"]
    assert await desk.api.tasks() == []
    assert (await desk.claim(encounter))["reasons"] == ["eligibility"]
    await desk.check(encounter["id"])
    await desk.at(18, day=6)
    [sent] = desk.sent_file().claims
    assert [note.text for note in sent.notes] == [NOTICE]


async def test_a_claim_that_has_not_gone_out_stops_when_the_consent_is_revoked(desk: Desk) -> None:
    given = await consent(desk)
    encounter = await desk.send(an_encounter(sensitivity=PROTECTED))
    await desk.check(encounter["id"])
    assert (await desk.claim(encounter))["status"] == "ready"
    revoked = await desk.api.post(f"/v1/consents/{given['id']}/revocations", {"why": "the patient asked"})
    assert revoked["revoked_at"] is not None
    assert (await desk.claim(encounter))["reasons"] == ["disclosure_hold"]
    await desk.at(18)
    assert desk.clearinghouse.files == []
    await consent(desk, external_id="cns-10")
    assert (await desk.claim(encounter))["status"] == "ready"


async def test_what_has_gone_out_stays_out_but_is_not_sent_again(desk: Desk) -> None:
    given = await consent(desk)
    encounter = await desk.submitted(sensitivity=PROTECTED)
    await desk.api.post(f"/v1/consents/{given['id']}/revocations", {"why": "the patient asked"})
    assert (await desk.claim(encounter))["status"] == "submitted"
    case = await desk.deny(encounter, "11")
    await desk.api.post(f"/v1/denials/{case['id']}/corrections", {"diagnoses": ["F33.2", "F41.1"]})
    assert (await desk.claim(encounter))["reasons"] == ["disclosure_hold"]


async def test_a_consent_that_runs_out_stops_the_claim(desk: Desk) -> None:
    await consent(desk, expires_on="2026-10-05")
    encounter = await desk.send(an_encounter(sensitivity=PROTECTED))
    await desk.check(encounter["id"], outcome="not_found")
    await desk.at(0, day=6)
    assert (await desk.claim(encounter))["reasons"] == ["disclosure_hold"]


async def test_events_say_nothing_of_consent_or_of_the_program(desk: Desk) -> None:
    await desk.send(an_encounter(sensitivity=PROTECTED))
    await desk.at(18)
    await consent(desk)
    told = [*await desk.api.envelopes(ClaimUpdated), *await desk.api.envelopes(TaskChanged)]
    told += await desk.api.envelopes(EncounterCreated)
    assert told
    for envelope in told:
        open_part = orjson.dumps(envelope.data.model_dump(mode="json", exclude={"sealed"})).lower()
        assert not [word for word in (b"consent", b"part2", b"42cfr", b"cns") if word in open_part]


async def test_a_session_that_is_not_protected_waits_for_no_consent(desk: Desk) -> None:
    encounter = await desk.submitted(sensitivity={"labels": ["mental_health"]})
    assert (await desk.claim(encounter))["status"] == "submitted"
    assert desk.sent_file().claims[0].notes == ()


async def test_a_second_payer_that_the_consent_does_not_name_is_not_asked_either(desk: Desk) -> None:
    await consent(desk, payer_ids=["pay_harborbh"])
    second = {"rank": 2, "payer": {"id": "pay_summit"}, "member_id": "S777"}
    await desk.send(an_encounter(sensitivity=PROTECTED, coverages=[*an_encounter()["coverages"], second]))
    [told] = await desk.api.told(EncounterCreated)
    assert told.sealed is not None
    asked = {coverage.payer_id: coverage.may_be_asked for coverage in told.sealed.coverages}
    assert asked == {"pay_harborbh": True, "pay_summit": False}
