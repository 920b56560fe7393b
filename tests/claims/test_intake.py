"""The EHR's sessions come in, once each, whatever is sent again."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
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
    several = [EncounterIn.model_validate(another_session(f"ehr-{n}")) for n in range(intake.FEW + 1)]
    beside = EncounterIn.model_validate(another_session("ehr-beside"))
    async with desk.api.worker.transaction(desk.api.tenant) as batch:
        found = await intake.receive_all(batch, several)
        assert all(isinstance(one, intake.Received) and one.created for one in found)
        assert await batch.scalar(_ADVISORY_LOCKS) == 1
        with pytest.raises(sa.exc.DBAPIError):
            await _taken(desk, beside, "set local lock_timeout = 100")
    assert await _taken(desk, beside)


async def test_of_a_few_only_those_that_are_the_same_wait_for_each_other(desk: Desk) -> None:
    several = [EncounterIn.model_validate(another_session(f"ehr-{n}")) for n in range(3)]
    async with desk.api.worker.transaction(desk.api.tenant) as first:
        await intake.receive_all(first, several)
        assert await _taken(desk, EncounterIn.model_validate(another_session("ehr-beside")))
        with pytest.raises(sa.exc.DBAPIError):
            await _taken(desk, several[1], "set local lock_timeout = 100")


async def test_sessions_posted_at_once_are_answered_like_sessions_posted_one_by_one(desk: Desk) -> None:
    """New ones, one said twice, one of the same day, the same session under two ids, one revised, some refused."""
    bodies = [another_session(f"ehr-{n}") for n in range(6)]
    bodies += [another_session("ehr-2"), another_session("ehr-1", billing_flags={"billable": False})]
    bodies += [another_session("twin-3", patient={"external_id": "MRN-3"})]
    bodies += [another_session("day-4", patient={"external_id": "MRN-4"}, service={"start": "2026-10-05T16:00:00Z"})]
    bodies += [another_session("ehr-9", service={"date": "2099-01-01"}), another_session("ehr-8") | {"note": "text"}]

    async def post(body: dict[str, Any], tenant: str) -> httpx.Response:
        return await desk.api.call("POST", "/v1/encounters", body, token=desk.api.token(tenant_id=tenant))

    def plain(answer: httpx.Response) -> Any:
        body = answer.json()
        gone = {"id", "claims", "links", "patient_id", "created_at", "updated_at", "request_id", "existing"}
        return answer.status_code, {name: value for name, value in body.items() if name not in gone}

    one_by_one = [plain(await post(body, "tnt_one_by_one")) for body in bodies]
    at_once = [plain(answer) for answer in await asyncio.gather(*(post(body, "tnt_at_once") for body in bodies))]

    assert at_once == one_by_one
    assert Counter(status for status, _ in at_once) == {201: 7, 200: 2, 409: 1, 422: 2}
    admin = await asyncpg.connect(desk.api.database.admin_url)
    try:
        written = await admin.fetch("select tenant_id, count(distinct xmin::text) n from claims.encounter group by 1")
    finally:
        await admin.close()
    transactions = {row["tenant_id"]: row["n"] for row in written}
    assert transactions["tnt_at_once"] < transactions["tnt_one_by_one"]


async def _taken(desk: Desk, sent: EncounterIn, setting: str = "select 1") -> bool:
    async with desk.api.worker.transaction(desk.api.tenant) as single:
        await single.execute(sa.text(setting))
        return (await intake.receive(single, sent)).created


_ADVISORY_LOCKS = sa.text("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
