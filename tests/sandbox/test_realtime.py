"""Questions about eligibility and their answers, as by hand."""

from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import Claim, a_270, an_837, envelope, said
from tests.sandbox.golden import Golden


async def test_benefits_are_told_as_by_hand(sandbox: Sandbox) -> None:
    golden = Golden()
    await sandbox.member(
        gender="F",
        group_number="GRP77",
        deductible_used_cents=12050,
        family_deductible_used_cents=25000,
        oop_used_cents=20000,
        visits_used=8,
    )
    golden.check("harbor_271", (await sandbox.ask(golden.request("harbor_270"))).content)


async def test_a_carve_out_names_its_administrator_as_by_hand(sandbox: Sandbox) -> None:
    await sandbox.member("pay_meridian")
    Golden().check("meridian_271", (await sandbox.ask(a_270(payer="MRDN1"))).content)


async def test_an_unknown_member_is_refused_as_by_hand(sandbox: Sandbox) -> None:
    Golden().check("unknown_271", (await sandbox.ask(a_270(member_id="W999"))).content)


async def test_the_administrator_of_a_carve_out_knows_the_member_too(stage: Sandbox) -> None:
    await stage.member("pay_meridian", member_id="M1")
    answer = (await stage.ask(a_270(payer="HRBBH", member_id="M1"))).content
    assert "EB*B*IND*MH***27*30****N*Y" in said(answer, "EB*B")


async def test_a_payer_that_is_down_answers_503_and_a_scenario_answers_aaa_42(stage: Sandbox) -> None:
    await stage.post("/v1/faults", {"payers_down": ["pay_harborbh"]}, status=200)
    down = await stage.ask(a_270())
    assert (down.status_code, down.json()["code"]) == (503, "payer_down")
    await stage.post("/v1/faults", {}, status=200)
    await stage.post("/v1/scenarios", {"member_id": "W000000001", "fault": "aaa"})
    assert said((await stage.ask(a_270())).content, "AAA") == ["AAA*Y**42*R"]


async def test_a_broken_270_gets_a_999_and_a_broken_envelope_a_ta1(stage: Sandbox) -> None:
    broken = envelope(["BHT*0022*13*R*20261005*0900"], "270", "005010X279A1", "HS")
    assert said((await stage.ask(broken)).content, "IK3", "IK5") == ["IK3*HL*3*2000A*3", "IK5*R*5"]
    cut = a_270().replace(b"IEA*1*000000001", b"IEA*1*000000002")
    assert said((await stage.ask(cut)).content, "TA1") == ["TA1*000000001*261005*1800*R*001"]


async def test_claims_are_not_taken_in_real_time(stage: Sandbox) -> None:
    answer = await stage.ask(an_837(Claim()))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_real_time")
