"""The routes of claims and of the files that carry them."""

from libs import x12
from tests.claims.conftest import Desk, an_encounter, another_session


async def test_claims_are_found_by_what_stops_them(desk: Desk) -> None:
    waiting = await desk.send(an_encounter())
    held = await desk.send(another_session("ehr-2", lines=[]))
    await desk.check(held["id"])
    by_reason = await desk.api.get("/v1/claims?reason=charge_missing&status=held")
    assert [one["id"] for one in by_reason["data"]] == held["claims"]
    by_owner = await desk.api.get("/v1/claims?owner=front_desk")
    assert [one["id"] for one in by_owner["data"]] == waiting["claims"]
    first = await desk.api.get("/v1/claims?limit=1")
    rest = await desk.api.get(f"/v1/claims?limit=1&cursor={first['page']['next_cursor']}")
    assert {first["data"][0]["id"], rest["data"][0]["id"]} == {*waiting["claims"], *held["claims"]}
    assert not rest["page"]["has_more"]


async def test_the_file_that_carried_a_claim_can_be_read(desk: Desk) -> None:
    encounter = await desk.submitted()
    claim = await desk.claim(encounter)
    (batch,) = (await desk.api.get("/v1/batches"))["data"]
    assert (batch["status"], batch["claims"], batch["charge_cents"], batch["control_number"]) == ("sent", 1, 17500, 1)
    answer = await desk.api.call("GET", f"/v1/batches/{claim['submissions'][0]['batch_id']}/file")
    assert answer.headers["content-type"].startswith("application/edi-x12")
    assert answer.content == desk.clearinghouse.files[0].x12
    assert x12.read(answer.content).one(x12.ClaimFile).reference == "B000000001"
    assert (await desk.api.call("GET", "/v1/batches/bat_none/file")).status_code == 404


async def test_a_claim_shows_its_clocks_and_its_money(desk: Desk) -> None:
    encounter = await desk.submitted()
    await desk.deny(encounter, "50")
    claim = await desk.claim(encounter)
    assert claim["deadlines"] == {"timely_filing": "2027-01-03", "correction": "2027-04-10", "appeal": "2027-04-10"}
    assert (claim["totals"]["charge_cents"], claim["totals"]["payer_paid_cents"]) == (17500, 0)
