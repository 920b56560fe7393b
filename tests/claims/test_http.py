"""The routes of encounters, charges and rules."""

from libs.common.events import ClaimUpdated, EncounterCreated
from tests.claims.conftest import PRACTICE, Desk, an_encounter, another_session


async def test_a_batch_takes_what_is_right_and_names_what_is_not(desk: Desk) -> None:
    first, second = another_session("ehr-1"), another_session("ehr-2")
    wrong = another_session("ehr-3", providers={"rendering": {"npi": "1234567890"}})
    answer = await desk.api.call(
        "POST", "/v1/encounters:batch", [first, wrong, first, second, {"external_id": "ehr-4"}]
    )
    assert answer.status_code == 207
    body = answer.json()
    assert (body["accepted"], body["unchanged"], body["refused"]) == (2, 1, 2)
    assert [item["status"] for item in body["data"]] == [201, 422, 200, 201, 422]
    assert body["data"][1]["problem"]["errors"][0]["pointer"] == "/providers/rendering/npi"
    assert [item["external_id"] for item in body["data"]] == ["ehr-1", "ehr-3", "ehr-1", "ehr-2", "ehr-4"]


async def test_the_trail_names_every_session_of_a_batch(desk: Desk) -> None:
    answer = await desk.api.call("POST", "/v1/encounters:batch", [another_session(f"ehr-{n}") for n in (1, 2)] + [{}])
    made = {item["encounter"]["id"] for item in answer.json()["data"] if item["encounter"]}
    auditor = desk.api.token(scopes=["claims:audit"])
    path = f"/v1/audit-events?request_id={answer.headers['x-request-id']}"
    lines = (await desk.api.get(path, token=auditor))["data"]
    assert {line["subject_id"] for line in lines} == made
    assert {line["practice_id"] for line in lines} == {PRACTICE}


async def test_a_batch_leaves_what_single_posts_would(desk: Desk) -> None:
    bodies = [another_session(f"ehr-{n}") for n in range(20)]
    batch = await desk.api.call("POST", "/v1/encounters:batch", bodies[1:])
    assert {item["status"] for item in batch.json()["data"]} == {201}
    told = len(await desk.api.told(ClaimUpdated)), len(await desk.api.told(EncounterCreated))
    assert told == (19, 19)
    alone = await desk.send(bodies[0])
    together = batch.json()["data"][-1]["encounter"]
    assert together.keys() == alone.keys()
    for encounter in (alone, together):
        await desk.check(encounter["id"])
    claims = [await desk.claim(encounter) for encounter in (alone, together)]
    stories = [
        [
            (one["what"], one["status"], one["reasons"])
            for one in (await desk.api.get(claim["links"]["timeline"]))["data"]
        ]
        for claim in claims
    ]
    assert stories[0] == stories[1]
    for name in ("status", "reasons", "charge_cents", "diagnoses", "authorization_number", "version"):
        assert claims[0][name] == claims[1][name], name


async def test_sessions_of_a_batch_that_concern_each_other_are_taken_one_after_the_other(desk: Desk) -> None:
    first = another_session("ehr-1")
    anew = another_session("ehr-1", billing_flags={"billable": False})
    twin = another_session("ehr-1") | {"external_id": "ehr-9"}
    same_day = another_session(
        "ehr-1", service={"start": "2026-10-05T18:00:00-05:00", "stop": "2026-10-05T18:44:00-05:00"}
    )
    answer = await desk.api.call(
        "POST", "/v1/encounters:batch", [first, twin, same_day | {"external_id": "ehr-8"}, anew]
    )
    assert [item["status"] for item in answer.json()["data"]] == [201, 409, 201, 200]
    assert answer.json()["data"][3]["encounter"]["status"] == "not_billable"


async def test_the_story_of_a_session_is_told_in_order(desk: Desk) -> None:
    encounter = await desk.submitted()
    story = (await desk.api.get(f"/v1/encounters/{encounter['id']}/timeline"))["data"]
    assert [one["what"] for one in story] == [
        "encounter.received",
        "claim.create",
        "claim.wait",
        "claim.pass",
        "claim.transmit",
        "claim.confirm",
    ]
    same = (await desk.api.get(f"/v1/claims/{encounter['claims'][0]}/timeline"))["data"]
    assert same == story


async def test_a_session_can_be_found_and_read_whole(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.send(another_session("ehr-2"))
    found = await desk.api.get("/v1/encounters?external_id=ehr-1&service_from=2026-10-05&service_to=2026-10-05")
    assert [one["id"] for one in found["data"]] == [encounter["id"]]
    whole = await desk.api.get(f"/v1/encounters/{encounter['id']}")
    assert whole["detail"]["diagnoses"][0]["code"] == "F33.1"
    assert (await desk.api.call("GET", "/v1/encounters/enc_none")).status_code == 404


async def test_a_cursor_of_one_list_is_none_of_another(desk: Desk) -> None:
    for number in (1, 2):
        await desk.send(another_session(f"ehr-{number}"))
    cursor = (await desk.api.get("/v1/encounters?limit=1"))["page"]["next_cursor"]
    assert len((await desk.api.get(f"/v1/encounters?limit=1&cursor={cursor}"))["data"]) == 1
    answer = await desk.api.call("GET", f"/v1/claims?limit=1&cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


async def test_another_tenant_sees_nothing(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    stranger = desk.api.token(tenant_id="tnt_other")
    for path in (f"/v1/encounters/{encounter['id']}", f"/v1/claims/{encounter['claims'][0]}"):
        assert (await desk.api.call("GET", path, token=stranger)).status_code == 404
    elsewhere = desk.api.token(practice_ids=["prc_2"])
    assert (await desk.api.call("GET", f"/v1/encounters/{encounter['id']}", token=elsewhere)).status_code == 404


async def test_the_rules_can_be_read_for_a_payer_and_a_day(desk: Desk) -> None:
    everything = (await desk.api.get("/v1/rules"))["data"]
    medicare = (await desk.api.get("/v1/rules?payer_id=pay_medicare&on=2026-10-05"))["data"]
    assert "BH-MCR-001" in {rule["id"] for rule in medicare}
    assert "BH-DOC-006" in {rule["id"] for rule in everything} - {rule["id"] for rule in medicare}
