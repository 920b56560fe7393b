"""A claim that its payer passes on: told so in the 835, and answered by the next payer without our sending it."""

from pathlib import Path

from libs import x12
from services.sandbox.adjudicate import adjudicate
from services.sandbox.crossover import passed_on
from services.sandbox.plans import payers
from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import Claim, an_837, said
from tests.sandbox.oracle import complaints, needs_pyx12
from tests.sandbox.scenes import a_claim, a_standing, imbalances


async def answers(sandbox: Sandbox) -> list[bytes]:
    """Both payers' remittances for one claim that Harbor passes on to Summit."""
    await sandbox.member(deductible_used_cents=50000)
    await sandbox.member("pay_summit", member_id="S1")
    await sandbox.roster("pay_summit")
    wanted = {"next_payer_id": "pay_summit", "next_member_id": "S1"}
    await sandbox.post("/v1/scenarios", {"member_id": "W000000001", "fault": "crossover"} | wanted)
    await sandbox.accept(an_837(Claim()))
    await sandbox.clock("2026-10-20T06:00:00Z")
    return await sandbox.mail("835")


async def test_the_next_payer_answers_with_the_providers_own_number(sandbox: Sandbox) -> None:
    first, second = await answers(sandbox)
    [told], [answered] = said(first, "CLP"), said(second, "CLP")
    assert told.split("*")[1:3] == ["PCN1", "19"]
    assert said(first, "MOA", "NM1*TT")[-1] == "MOA***MA18"
    assert answered.split("*")[1:3] == ["PCN1", "2"]
    left = sum(float(cas.split("*")[3]) for cas in said(first, "CAS*PR"))
    paid = float(answered.split("*")[4]) + sum(float(cas.split("*")[3]) for cas in said(second, "CAS*PR"))
    assert left == paid > 0
    for body in (first, second):
        assert imbalances(body) == []
        assert x12.check(body).findings == ()


@needs_pyx12
async def test_others_can_read_it(sandbox: Sandbox, tmp_path: Path) -> None:
    for body in await answers(sandbox):
        assert complaints(body, tmp_path) == []


def test_the_claim_goes_on_with_what_was_decided_of_each_line() -> None:
    harbor, summit = payers()["pay_harborbh"], payers()["pay_summit"]
    claim = a_claim()
    decision = adjudicate(claim, "HB1", harbor, a_standing())
    following = passed_on(claim, harbor, decision, summit, "S1")
    assert (following.sequence, following.payer.id, following.subscriber.id) == ("S", summit.edi_id, "S1")
    for line in following.lines:
        [prior] = line.prior
        assert line.charge_cents == prior.paid_cents + sum(a.cents for a in prior.adjustments)
