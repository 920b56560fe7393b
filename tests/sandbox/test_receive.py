"""A file on its way to several payers."""

from pathlib import Path

from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import Claim, Line, an_837, said
from tests.sandbox.oracle import complaints, needs_pyx12


async def test_each_payer_answers_for_its_own_and_the_clearinghouse_for_nobodys(sandbox: Sandbox) -> None:
    await sandbox.member("pay_summit")
    await sandbox.accept(an_837(Claim(), Claim(pcn="P2", payer="SUMMT"), Claim(pcn="P3", payer="NOBDY")))
    told = [said(body, "NM1*PR", "NM1*AY", "STC*A2", "STC*A7") for body in await sandbox.mail("277CA")]
    assert told == [
        ["NM1*PR*2*HARBOR BEHAVIORAL*****PI*HRBBH", "STC*A2:20:PR*20261005*WQ*135"],
        ["NM1*AY*2*PARITY CLEARINGHOUSE*****46*PARITYCH", "STC*A7:153:PR*20261005*U*135"],
        ["NM1*PR*2*SUMMIT ASSIST AND HEALTH*****PI*SUMMT", "STC*A2:20:PR*20261005*WQ*135"],
    ]


async def test_what_the_999_rejects_never_reaches_a_payer(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim(place="")))
    assert said(await sandbox.one("999"), "IK5") == ["IK5*R*5"]
    assert await sandbox.mail("277CA") == []


async def test_a_test_is_acknowledged_as_a_test_and_never_paid(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim()).replace(b"*P*:", b"*T*:"))
    for kind in ("999", "277CA"):
        assert b"*T*:" in (await sandbox.one(kind))[:106]
    await sandbox.clock("2026-10-31T06:00:00Z")
    assert await sandbox.mail("835") == []


async def test_a_rejected_claim_never_gets_an_835_and_may_come_again_as_new(sandbox: Sandbox) -> None:
    await sandbox.post("/v1/scenarios", {"member_id": "W000000001", "fault": "reject_277ca"})
    await sandbox.accept(an_837(Claim()))
    assert said(await sandbox.one("277CA"), "STC*A7") == ["STC*A7:562:85*20261005*U*135"]
    await sandbox.clock("2026-10-07T06:00:00Z")
    assert await sandbox.mail("835") == []
    await sandbox.accept(an_837(Claim(pcn="PCN2"), control=2))
    assert said(await sandbox.one("277CA"), "STC*A2") == ["STC*A2:20:PR*20261007*WQ*135"]


async def test_a_replacement_of_nothing_is_refused(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim(frequency="7", original="HB0000")))
    assert said(await sandbox.one("277CA"), "STC*A7") == ["STC*A7:464*20261005*U*135"]


async def test_a_claim_is_replaced_once(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim()))
    icn = said(await sandbox.one("277CA"), "REF*1K")[0].removeprefix("REF*1K*")
    again = Claim(pcn="P2", frequency="7", original=icn, lines=(Line(code="90837", charge="200"),))
    await sandbox.accept(an_837(again, control=2))
    assert said(await sandbox.one("277CA"), "STC*A2")
    await sandbox.accept(an_837(Claim(pcn="P3", frequency="7", original=icn), control=3))
    assert said(await sandbox.one("277CA"), "STC*A7") == ["STC*A7:464*20261005*U*135"]


async def test_no_one_replaces_the_claim_of_another_member(sandbox: Sandbox) -> None:
    await sandbox.member(member_id="W2")
    await sandbox.accept(an_837(Claim()))
    icn = said(await sandbox.one("277CA"), "REF*1K")[0].removeprefix("REF*1K*")
    await sandbox.accept(an_837(Claim(pcn="P2", member_id="W2", frequency="8", original=icn), control=2))
    assert said(await sandbox.one("277CA"), "STC*A7") == ["STC*A7:464*20261005*U*135"]


async def test_the_277ca_may_come_twice_late_or_never(sandbox: Sandbox) -> None:
    for number, fault in enumerate(("answer_twice", "835_before_277ca", "no_277ca")):
        await sandbox.member(member_id=f"W{number}")
        await sandbox.post("/v1/scenarios", {"member_id": f"W{number}", "fault": fault})
    claims = [Claim(pcn=f"P{number}", member_id=f"W{number}") for number in range(3)]
    await sandbox.accept(an_837(*claims))
    first, second = await sandbox.mail("277CA")
    assert first == second
    assert said(first, "TRN*2*P") == ["TRN*2*P0"]
    await sandbox.clock("2026-10-07T04:00:00Z")
    remittances = await sandbox.mail("835")
    assert remittances[0] == remittances[1]
    assert len(said(remittances[0], "CLP")) == 3
    assert await sandbox.mail("277CA") == []
    await sandbox.clock("2026-10-07T16:00:00Z")
    assert said(await sandbox.one("277CA"), "TRN*2*P") == ["TRN*2*P1"]
    await sandbox.clock("2026-12-31T00:00:00Z")
    assert await sandbox.mail("277CA") == []


@needs_pyx12
async def test_others_can_read_every_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    bad = Claim(pcn="P3", place="", lines=(Line(code="9083", pointers="4"),))
    await sandbox.accept(an_837(Claim(), Claim(pcn="P2", member_id="NOBODY"), ta1="1"))
    await sandbox.accept(an_837(bad, control=2))
    await sandbox.accept(an_837(Claim(pcn="P4", lines=(Line(code="9083", pointers="4"),)), control=3))
    answers = await sandbox.mail("999", "277CA")  # pyx12 wants a group in every interchange, so no TA1
    assert len(answers) == 5
    for body in answers:
        assert complaints(body, tmp_path) == []
