"""A claim's tasks follow its reasons, and its events its versions."""

from libs.common.events import ClaimUpdated, TaskChanged
from services.claims.lifecycle import work_of
from tests.claims.conftest import Desk, an_encounter


def test_every_reason_has_somebody_and_a_time() -> None:
    assert work_of("enrollment") == ("credentialing", 5)
    assert work_of("a_reason_of_a_new_rule") == ("billing", 2)


async def test_a_task_is_opened_when_a_claim_stops_and_closed_when_it_goes_on(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(documentation={"signed_at": None}))
    await desk.check(encounter["id"])
    task = (await desk.api.tasks())[0]
    assert (task["reason"], task["owner"], task["due_on"]) == ("note_unsigned", "clinician", "2026-10-07")
    assert (task["subject_id"], task["amount_cents"]) == (encounter["claims"][0], 17500)
    await desk.send(an_encounter())
    assert (await desk.claim(encounter))["status"] == "ready"
    assert [event.status for event in await desk.api.told(TaskChanged)] == ["open", "done"]


async def test_the_versions_of_a_claim_are_the_sequence_of_its_events(desk: Desk) -> None:
    await desk.submitted()
    envelopes = await desk.api.envelopes(ClaimUpdated)
    assert [envelope.sequence for envelope in envelopes] == list(range(1, len(envelopes) + 1))
    assert {envelope.correlationid for envelope in envelopes} == {envelopes[0].data.encounter_id}
    assert envelopes[-1].data.status == "submitted"
