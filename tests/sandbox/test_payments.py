"""Payments against files written by hand, and the promises that every 835 keeps."""

from tests.sandbox.conftest import Sandbox
from tests.sandbox.golden import Golden


async def test_medicare_takes_deductible_coinsurance_and_sequestration_as_by_hand(sandbox: Sandbox) -> None:
    golden = Golden()
    await sandbox.member(
        "pay_medicare",
        member_id="1EG4TE5MK73",
        last_name="Stone",
        first_name="Ruth",
        birth_date="1950-03-15",
        deductible_used_cents=26300,
    )
    await sandbox.roster("pay_medicare")
    await sandbox.accept(golden.request("medicare_837"))
    golden.check("medicare_999", await sandbox.one("999"))
    golden.check("medicare_277ca", await sandbox.one("277CA"))
    await sandbox.clock("2026-10-20T03:59:00Z")
    assert await sandbox.mail("835") == []
    await sandbox.clock("2026-10-20T06:00:00Z")
    golden.check("medicare_835", await sandbox.one("835"))
    [deposit] = (await sandbox.get("/v1/bank"))["data"]
    assert (deposit["trace"], deposit["amount_cents"], deposit["date"]) == (
        golden.numbers["(TRACE)"],
        18793,
        "2026-10-20",
    )


async def test_a_replacement_mirrors_the_original_and_carries_the_rest_forward_as_by_hand(sandbox: Sandbox) -> None:
    golden = Golden()
    await sandbox.member(group_number="GRP77", deductible_used_cents=50000)
    await sandbox.accept(golden.request("harbor_837"))
    golden.check("harbor_ta1", await sandbox.one("TA1"))
    golden.check("harbor_277ca", await sandbox.one("277CA"))
    await sandbox.clock("2026-10-07T18:00:00Z")
    golden.check("harbor_835", await sandbox.one("835"))
    await sandbox.accept(golden.request("replacement_837"))
    await sandbox.clock("2026-10-10T06:00:00Z")
    golden.check("replacement_835", await sandbox.one("835"))
