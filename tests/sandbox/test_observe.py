"""Looking behind the scene."""

from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import Claim, an_837, said


async def test_the_queue_is_empty_when_nothing_is_due(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim()))
    assert await sandbox.get("/v1/queue") == {"pending": 0}
    await sandbox.post("/v1/clock/set", {"at": "2026-10-05T22:00:00Z"}, status=200)
    assert await sandbox.get("/v1/queue") == {"pending": 1}
    await sandbox.clock("2026-10-05T22:00:00Z")
    assert await sandbox.get("/v1/queue") == {"pending": 0}


async def test_the_bank_shows_a_check_once_it_has_travelled(sandbox: Sandbox) -> None:
    await sandbox.member("pay_summit")
    await sandbox.roster("pay_summit")
    await sandbox.accept(an_837(Claim(payer="SUMMT")))
    await sandbox.clock("2026-10-08T12:00:00Z")
    assert (await sandbox.get("/v1/bank"))["data"] == []
    await sandbox.clock("2026-10-09T12:00:00Z")
    [deposit] = (await sandbox.get("/v1/bank?from=2026-10-09&to=2026-10-09&billing_npi=1234567893"))["data"]
    assert (deposit["method"], deposit["amount_cents"], deposit["date"]) == ("CHK", 9300, "2026-10-09")
    assert said(await sandbox.one("835"), "TRN")[0].split("*")[2] == deposit["trace"]
    assert (await sandbox.get("/v1/bank?from=2026-10-10"))["data"] == []
    assert (await sandbox.get("/v1/bank?billing_npi=1999999984"))["data"] == []


async def test_a_claim_is_seen_by_its_number(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim()))
    icn = said(await sandbox.one("277CA"), "REF*1K")[0].removeprefix("REF*1K*")
    assert (await sandbox.get(f"/v1/claims/{icn}"))["status"] == "pending"
    await sandbox.clock("2026-10-05T22:00:00Z")
    assert (await sandbox.get(f"/v1/claims/{icn}"))["status"] == "decided"
    assert (await sandbox.http.get("/v1/claims/NONE")).status_code == 404
    assert (await sandbox.http.get("/v1/files/none")).status_code == 404
