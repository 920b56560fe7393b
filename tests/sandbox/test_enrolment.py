"""What payers hold of members, clinicians and authorizations."""

from datetime import date

from services.sandbox import enrolment
from services.sandbox.decisions import Authorization, Rostered
from services.sandbox.scenarios import Scenario
from tests.sandbox.conftest import Sandbox
from tests.sandbox.scenes import MONDAY, a_member


async def test_a_member_comes_with_the_family(stage: Sandbox) -> None:
    family = [a_member(member_id=f"F{n}", family_id="F1") for n in (1, 2)]
    async with stage.worker.transaction() as tx:
        await enrolment.save_members(tx, [*family, a_member(member_id="X", family_id="")])
        found = await enrolment.members(tx, "pay_harborbh", ["F1", "X"])
        assert sorted(found) == ["F1", "F2", "X"]
        assert (found["F2"], found["X"].family_id) == (family[1], "X")
        assert await enrolment.members(tx, "pay_summit", ["F1"]) == {}


async def test_rosters_authorizations_and_scenarios_come_back_as_they_were(stage: Sandbox) -> None:
    loaded = Rostered(npi="1", billing_npi="2", effective_from=MONDAY, taxonomy="103TC0700X")
    ended = Rostered(npi="1", billing_npi="2", effective_from=MONDAY, effective_to=date(2026, 12, 31))
    held = Authorization(number="A1", codes=("90837",), units=4, valid_from=MONDAY, valid_to=MONDAY)
    asked = Scenario(member_id="W9", fault="underpay", params={"percent": 93.5})
    async with stage.worker.transaction() as tx:
        await enrolment.save_rosters(tx, "pay_summit", [loaded])
        await enrolment.save_rosters(tx, "pay_summit", [ended])
        assert await enrolment.rosters(tx, "pay_summit") == (ended,)
        await enrolment.save_authorization(tx, "pay_summit", "W9", held)
        assert await enrolment.authorizations(tx, "pay_summit", ["W9"]) == {"W9": [held]}
        await enrolment.save_scenario(tx, asked)
        await enrolment.save_scenario(tx, asked)
        assert await enrolment.scenarios(tx, ["W9"]) == [asked]
