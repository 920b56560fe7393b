"""The EHR's sessions come in, once each, whatever is sent again."""

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from libs.common.events import EncounterCreated
from libs.common.ids import derived_id
from libs.common.problems import Conflict, Invalid
from libs.common.webhooks import InboundMessage
from services.claims import intake
from services.claims.views import EncounterIn
from tests.claims.conftest import Desk, an_encounter, another_session


async def test_a_session_is_told_with_identity_sealed(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    told = (await desk.api.told(EncounterCreated))[0]
    assert (told.encounter_id, told.claim_id, told.charge_cents, told.collected_cents) == (
        encounter["id"],
        encounter["claims"][0],
        17500,
        2500,
    )
    assert told.patient_id == derived_id("pat", desk.api.tenant, "prc_1", "MRN-5521")
    assert told.sealed.services[0].procedure == "90834"
    envelope = (await desk.api.envelopes(EncounterCreated))[0]
    assert envelope.correlationid == encounter["id"]


async def test_the_same_content_again_changes_nothing_and_new_content_is_a_revision(desk: Desk) -> None:
    first = await desk.api.call("POST", "/v1/encounters", an_encounter())
    again = await desk.api.call("POST", "/v1/encounters", an_encounter(source={"event_id": "e-992", "version": 4}))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert len(await desk.api.told(EncounterCreated)) == 1

    await desk.check(first.json()["id"])
    changed = await desk.api.call("POST", "/v1/encounters", an_encounter(service={"psychotherapy_minutes": 44}))
    assert (changed.status_code, changed.json()["revision"]) == (200, 2)
    assert [event.revision for event in await desk.api.told(EncounterCreated)] == [1, 2]
    claim = await desk.claim(changed.json())
    assert (claim["status"], claim["lines"][0]["minutes"]) == ("ready", 44)


async def test_a_session_that_has_been_sent_is_corrected_through_its_claim(desk: Desk) -> None:
    await desk.submitted()
    answer = await desk.api.call("POST", "/v1/encounters", an_encounter(service={"psychotherapy_minutes": 50}))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_sent")


async def test_the_same_session_under_another_id_is_a_duplicate_unless_somebody_says_why_not(desk: Desk) -> None:
    encounter = await desk.send(an_encounter("ehr-1"))
    answer = await desk.api.call("POST", "/v1/encounters", an_encounter("ehr-2"))
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_encounter")
    assert answer.json()["existing"]["id"] == encounter["id"]
    allowed = await desk.api.call("POST", "/v1/encounters", an_encounter("ehr-2", allow_duplicate_reason="twins"))
    assert allowed.status_code == 201


async def test_minutes_that_support_no_code_are_the_clinicians_work_and_no_claim(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(lines=[], service={"psychotherapy_minutes": 12}))
    assert (encounter["status"], encounter["claims"]) == ("minutes_not_billable", [])
    words = "12 minutes are fewer than the 16 that psychotherapy needs"
    [why] = encounter["checks"]["results"]
    assert (why["code"], why["message"], why["severity"]) == ("minutes_not_billable", words, "error")
    [task] = await desk.api.tasks()
    assert (task["reason"], task["owner"], task["detail"]) == ("minutes_not_billable", "clinician", words)
    assert await desk.api.told(EncounterCreated) == []
    corrected = await desk.send(an_encounter(lines=[], service={"psychotherapy_minutes": 42}))
    assert (corrected["id"], len(corrected["claims"])) == (encounter["id"], 1)
    assert await desk.api.tasks() == []


async def test_what_a_patient_pays_without_their_plan_is_never_told_to_it(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(billing_flags={"self_pay_restriction": True}))
    assert (encounter["status"], encounter["claims"]) == ("self_pay", [])
    assert await desk.api.told(EncounterCreated) == []


async def test_a_session_that_is_no_longer_billable_voids_its_claim(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    changed = await desk.send(an_encounter(billing_flags={"billable": False}))
    assert (changed["id"], changed["status"]) == (encounter["id"], "not_billable")
    assert (await desk.claim(encounter))["status"] == "void"


async def test_a_webhook_says_the_same_as_the_api(desk: Desk) -> None:
    async def post(body: bytes, practice_id: str | None = "prc_1") -> None:
        message = InboundMessage(
            id="inm_1",
            source_id="src_1",
            kind="ehr",
            practice_id=practice_id,
            webhook_id="msg_1",
            body=body,
            received_at=datetime(2026, 10, 5, 12, tzinfo=UTC),
        )
        async with desk.api.worker.transaction(desk.api.tenant) as tx:
            await intake.from_ehr(tx, message)

    await post(json.dumps({"type": "encounter.completed", "data": another_session("ehr-7")}).encode())
    found = (await desk.api.get("/v1/encounters?external_id=ehr-7"))["data"]
    assert [one["external_id"] for one in found] == ["ehr-7"]
    for body, practice_id, pointer in (
        (another_session("ehr-8"), "prc_2", "/practice_id"),
        (another_session("ehr-8") | {"note": "text of the note"}, "prc_1", "/note"),
    ):
        with pytest.raises(Invalid) as refused:
            await post(json.dumps(body).encode(), practice_id)
        assert [error.pointer for error in refused.value.errors] == [pointer]
    with pytest.raises(Conflict):
        await post(json.dumps(another_session("ehr-9", patient={"external_id": "MRN-7"})).encode())


async def test_a_batch_holds_one_lock_of_its_practice_and_no_session_comes_in_beside_it(desk: Desk) -> None:
    several = [EncounterIn.model_validate(another_session(f"ehr-{n}")) for n in range(30)]
    beside = EncounterIn.model_validate(another_session("ehr-beside"))
    async with desk.api.worker.transaction(desk.api.tenant) as batch:
        found = await intake.receive_all(batch, several)
        assert all(isinstance(one, intake.Received) and one.created for one in found)
        assert await batch.scalar(_ADVISORY_LOCKS) == 1
        with pytest.raises(sa.exc.DBAPIError):
            await _taken(desk, beside, "set local lock_timeout = 100")
    assert await _taken(desk, beside)


async def _taken(desk: Desk, sent: EncounterIn, setting: str = "select 1") -> bool:
    async with desk.api.worker.transaction(desk.api.tenant) as single:
        await single.execute(sa.text(setting))
        return (await intake.receive(single, sent)).created


_ADVISORY_LOCKS = sa.text("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
