"""From an 837 to the bank, through the doors."""

from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import Claim, Line, a_270, an_837, said


async def test_a_claim_is_acknowledged_adjudicated_paid_and_deposited(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim()))
    assert said(await sandbox.one("999"), "IK5", "AK9") == ["IK5*A", "AK9*A*1*1*1"]
    answer = await sandbox.one("277CA")
    assert said(answer, "STC")[-1] == "STC*A2:20:PR*20261005*WQ*135"
    [number] = said(answer, "REF*1K")
    await sandbox.clock("2026-10-06T06:00:00Z")
    assert await sandbox.mail("835") == []  # Harbor pays on Tuesdays and Fridays
    await sandbox.clock("2026-10-07T06:00:00Z")
    remittance = await sandbox.one("835")
    icn = number.removeprefix("REF*1K*")
    assert said(remittance, "CLP") == [f"CLP*PCN1*1*135*0*105*12*{icn}*11*1"]
    assert said(remittance, "CAS") == ["CAS*CO*45*30", "CAS*PR*1*105"]


async def test_what_the_271_says_is_left_moves_with_the_claims(sandbox: Sandbox) -> None:
    before = (await sandbox.ask(a_270())).content
    assert "EB*C*IND*MH***29*500*****Y" in said(before, "EB*C")
    await sandbox.accept(an_837(Claim(lines=(Line(code="90837", charge="200"),))))
    await sandbox.clock("2026-10-05T22:00:00Z")
    after = (await sandbox.ask(a_270())).content
    assert "EB*C*IND*MH***29*355*****Y" in said(after, "EB*C")
    assert "EB*F*IND*MH***29***VS*39*N*Y" in said(after, "EB*F")
