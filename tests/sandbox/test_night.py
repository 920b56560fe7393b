"""The payer's night: from an 837 to the bank, and everything that can go differently."""

import asyncio
from typing import Any

import httpx

from libs.common.timers import Runner, Timer, Work
from services.sandbox import night
from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import Claim, Line, a_270, an_837, said
from tests.sandbox.scenes import imbalances

HOUR_OF_90837 = Line(code="90837", charge="200")


async def icn_of(sandbox: Sandbox) -> str:
    return said(await sandbox.one("277CA"), "REF*1K")[0].removeprefix("REF*1K*")


async def left(sandbox: Sandbox) -> list[str]:
    """What the 271 says is left of deductible and visits."""
    answer = (await sandbox.ask(a_270())).content
    return [segment.split("*")[7] or segment.split("*")[10] for segment in said(answer, "EB*C*IND", "EB*F")][1::2]


async def scenario(sandbox: Sandbox, fault: str, **params: Any) -> None:
    await sandbox.post("/v1/scenarios", {"member_id": "W000000001", "fault": fault} | params)


async def paid_up(sandbox: Sandbox) -> None:
    """The deductible is met: Harbor pays 80 %."""
    await sandbox.member(deductible_used_cents=50000)


async def test_a_claim_is_acknowledged_adjudicated_paid_and_deposited(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim()))
    assert said(await sandbox.one("999"), "IK5", "AK9") == ["IK5*A", "AK9*A*1*1*1"]
    icn = await icn_of(sandbox)
    assert await left(sandbox) == ["500", "40"]
    await sandbox.clock("2026-10-05T22:00:00Z")
    assert await left(sandbox) == ["395", "39"]
    await sandbox.clock("2026-10-06T06:00:00Z")
    assert await sandbox.mail("835") == []  # Harbor pays on Tuesdays and Fridays
    await sandbox.clock("2026-10-07T06:00:00Z")
    remittance = await sandbox.one("835")
    assert said(remittance, "CLP", "CAS") == [
        f"CLP*PCN1*1*135*0*105*12*{icn}*11*1",
        "CAS*CO*45*30",
        "CAS*PR*1*105",
    ]


async def test_however_far_the_clock_jumps_the_days_come_in_their_order(sandbox: Sandbox) -> None:
    await paid_up(sandbox)
    for day, code in ((5, "90834"), (6, "90837")):
        await sandbox.clock(f"2026-10-0{day}T18:00:00Z")
        line = Line(code=code, charge="200", date=f"2026100{day}")
        await sandbox.accept(an_837(Claim(pcn=f"P{day}", lines=(line,)), control=day))
    await sandbox.clock("2026-12-24T12:00:00Z")
    [remittance] = await sandbox.mail("835")
    assert [claim.split("*")[1] for claim in said(remittance, "CLP")] == ["P5", "P6"]
    assert said(remittance, "DTM*405") == ["DTM*405*20261006"]


async def test_claims_of_one_evening_are_taken_up_by_date_of_service(sandbox: Sandbox) -> None:
    late, early = Line(code="90837", charge="145", date="20261004"), Line(code="90837", charge="145", date="20261001")
    await sandbox.member(deductible_used_cents=40000)
    await sandbox.accept(an_837(Claim(pcn="LATE", lines=(late,))))
    await sandbox.accept(an_837(Claim(pcn="EARLY", lines=(early,)), control=2))
    await sandbox.clock("2026-10-07T06:00:00Z")
    remittance = await sandbox.one("835")
    assert said(remittance, "CAS*PR") == ["CAS*PR*1*100**2*9", "CAS*PR*2*29"]
    assert [claim.split("*")[1] for claim in said(remittance, "CLP")] == ["EARLY", "LATE"]


async def test_a_replacement_gives_back_what_the_original_had_used(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim(lines=(HOUR_OF_90837,))))
    icn = await icn_of(sandbox)
    await sandbox.clock("2026-10-07T18:00:00Z")
    assert await left(sandbox) == ["355", "39"]
    assert len(await sandbox.mail("835")) == 1
    await sandbox.accept(an_837(Claim(pcn="P2", frequency="7", original=icn), control=2))
    await sandbox.clock("2026-10-10T06:00:00Z")
    assert await left(sandbox) == ["395", "39"]
    remittance = await sandbox.one("835")
    assert [claim.split("*")[2:6] for claim in said(remittance, "CLP")] == [
        ["22", "-200", "0", "-145"],
        ["1", "135", "0", "105"],
    ]


async def test_a_void_takes_everything_back_and_the_next_payment_makes_up_for_it(sandbox: Sandbox) -> None:
    await paid_up(sandbox)
    await sandbox.accept(an_837(Claim()))
    icn = await icn_of(sandbox)
    await sandbox.clock("2026-10-07T18:00:00Z")
    assert said((await sandbox.mail("835"))[0], "BPR")[0].startswith("BPR*I*84*")
    await sandbox.accept(an_837(Claim(pcn="P2", frequency="8", original=icn), control=2))
    await sandbox.clock("2026-10-12T18:00:00Z")
    voided = await sandbox.one("835")
    assert said(voided, "CLP") == [f"CLP*PCN1*22*-135*-84*-21*12*{icn}*11*1"]
    trace = said(voided, "TRN")[0].split("*")[2]
    assert said(voided, "BPR*H", "PLB")[1] == f"PLB*1234567893*20261231*FB:{trace}*-84"
    again = Claim(pcn="P3", lines=(HOUR_OF_90837,))
    await sandbox.accept(an_837(again, control=3))
    await sandbox.clock("2026-10-14T18:00:00Z")
    made_up = await sandbox.one("835")
    assert said(made_up, "PLB") == [f"PLB*1234567893*20261231*FB:{trace}*84"]
    assert said(made_up, "BPR")[0].startswith("BPR*I*32*")
    assert imbalances(voided) == imbalances(made_up) == []


async def test_a_payer_thinks_again(sandbox: Sandbox) -> None:
    await paid_up(sandbox)
    await scenario(sandbox, "reverse_and_correct", days=3, percent=80)
    await sandbox.accept(an_837(Claim()))
    icn = await icn_of(sandbox)
    await sandbox.clock("2026-10-07T06:00:00Z")
    await sandbox.mail("835")
    await sandbox.clock("2026-10-10T06:00:00Z")
    remittance = await sandbox.one("835")
    first, second = said(remittance, "CLP")
    assert first == f"CLP*PCN1*22*-135*-84*-21*12*{icn}*11*1"
    assert second.split("*")[:6] == ["CLP", "PCN1", "1", "135", "67.2", "16.8"]
    assert second.split("*")[7] != icn
    assert said(remittance, "REF*F8") == [f"REF*F8*{icn}"] * 2
    assert await left(sandbox) == ["0", "39"]


async def test_a_payer_takes_back_by_plb_what_it_paid_before(sandbox: Sandbox) -> None:
    await paid_up(sandbox)
    await scenario(sandbox, "recoup", service_date="2026-10-05", days=1)
    await sandbox.accept(an_837(Claim()))
    icn = await icn_of(sandbox)
    await sandbox.clock("2026-10-07T18:00:00Z")
    assert said(await sandbox.one("835"), "PLB") == []
    await sandbox.accept(an_837(Claim(pcn="P2", lines=(Line(date="20261006", code="90853", charge="50"),)), control=2))
    await sandbox.clock("2026-10-10T18:00:00Z")
    first = await sandbox.one("835")
    assert said(first, "PLB") == [f"PLB*1234567893*20261231*WO:{icn}*32"]  # all that this payment holds
    assert said(first, "BPR") == ["BPR*H*0*C*NON************20261012"]
    await sandbox.accept(an_837(Claim(pcn="P3", lines=(Line(date="20261007", code="90837", charge="200"),)), control=3))
    await sandbox.clock("2026-10-14T18:00:00Z")
    assert said(await sandbox.one("835"), "PLB") == [f"PLB*1234567893*20261231*WO:{icn}*52"]


async def test_a_late_payment_comes_with_interest(sandbox: Sandbox) -> None:
    await paid_up(sandbox)
    await scenario(sandbox, "late_835", days=40)
    await sandbox.accept(an_837(Claim()))
    icn = await icn_of(sandbox)
    await sandbox.clock("2026-11-13T12:00:00Z")
    assert await sandbox.mail("835") == []
    await sandbox.clock("2026-11-18T12:00:00Z")
    remittance = await sandbox.one("835")
    # received 5 October, paid 18 November: 44 days, 14 of them late: 84.00 x 18 % x 14 / 365
    assert said(remittance, "PLB", "AMT*I") == ["AMT*I*0.58", f"PLB*1234567893*20261231*L6:{icn}*-0.58"]
    assert said(remittance, "BPR")[0].startswith("BPR*I*84.58*")
    assert imbalances(remittance) == []


async def test_one_claim_in_two_payments(sandbox: Sandbox) -> None:
    await paid_up(sandbox)
    await scenario(sandbox, "two_payments")
    await sandbox.accept(an_837(Claim(lines=(HOUR_OF_90837, Line(code="90785", charge="30", number="L2")))))
    await sandbox.clock("2026-10-07T06:00:00Z")
    first, second = await sandbox.mail("835")
    assert [said(body, "CLP")[0].split("*")[1:5] for body in (first, second)] == [
        ["PCN1", "1", "200", "116"],
        ["PCN1", "1", "30", "12"],
    ]
    assert said(first, "TRN") != said(second, "TRN")
    deposits = (await sandbox.get("/v1/bank"))["data"]
    assert sorted(deposit["amount_cents"] for deposit in deposits) == [1200, 11600]


async def test_an_835_that_does_not_balance_where_it_was_asked_to(sandbox: Sandbox) -> None:
    await paid_up(sandbox)
    await scenario(sandbox, "unbalanced_835", service_date="2026-10-05", level="claim", cents=500)
    await sandbox.accept(an_837(Claim(), Claim(pcn="P2", lines=(Line(date="20261001"),))))
    await sandbox.clock("2026-10-07T06:00:00Z")
    assert imbalances(await sandbox.one("835")) == ["claim PCN1/1", "line of PCN1/1"]


async def test_denials_that_are_asked_for_and_claims_that_are_lost(sandbox: Sandbox) -> None:
    await sandbox.member(member_id="W2")
    await scenario(sandbox, "deny_197")
    await sandbox.post("/v1/scenarios", {"member_id": "W2", "fault": "no_835"})
    await sandbox.accept(an_837(Claim(), Claim(pcn="P2", member_id="W2")))
    await sandbox.clock("2026-12-01T06:00:00Z")
    remittance = await sandbox.one("835")
    assert said(remittance, "CLP", "CAS", "LQ")[1:] == ["CAS*CO*197*135", "LQ*HE*M62"]
    assert await sandbox.get("/v1/queue") == {"pending": 0}


async def test_the_night_is_worked_by_timers_and_two_workers_do_it_once(sandbox: Sandbox) -> None:
    await paid_up(sandbox)
    await sandbox.accept(an_837(Claim()))
    stopping = asyncio.Event()
    assert sandbox.worker.keyring is not None
    async with httpx.AsyncClient() as http:
        work = Work(db=sandbox.worker, http=http, keyring=sandbox.worker.keyring, settings=None)
        runners = [Runner([Timer(kind=night.NIGHT, step=night.run)], work) for _ in range(2)]
        running = [asyncio.create_task(runner.run(stopping)) for runner in runners]
        await sandbox.post("/v1/clock/set", {"at": "2026-10-07T06:00:00Z"}, status=200)
        async with asyncio.timeout(30):
            while (await sandbox.get("/v1/queue"))["pending"]:  # noqa: ASYNC110  asked from outside, as the demo does
                await asyncio.sleep(0.05)
        stopping.set()
        await asyncio.gather(*running)
    assert said(await sandbox.one("835"), "BPR")[0].startswith("BPR*I*84*")
