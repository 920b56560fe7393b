"""What the adjudicator has on the desk."""

from dataclasses import replace

from services.sandbox.adjudicate import adjudicate
from services.sandbox.desk import Desk
from services.sandbox.plans import payers
from services.sandbox.store import FiledClaim
from tests.sandbox.scenes import a_claim, a_member, a_standing
from tests.sandbox.test_pay import at


def test_the_next_claim_sees_what_was_used_and_what_was_given_back() -> None:
    one, other = a_member(), a_member(member_id="W2")
    desk = Desk(members={"W1": one, "W2": other})
    filed = FiledClaim(
        icn="I1",
        payer_id="pay_harborbh",
        submitter_id="S",
        file_id=None,
        claim=a_claim(),
        member_id="W1",
        attempt=1,
        position=0,
        received_at=at(5, 18),
        adjudicate_at=at(5, 22),
        faults={},
    )
    decision = adjudicate(filed.claim, "I1", payers()["pay_harborbh"], a_standing(one))
    desk.decided(replace(filed, decision=decision))
    assert [effect.deductible_cents for effect in desk.effects_of_family("W1")] == [10500]
    assert desk.effects_of_family("W2") == desk.effects_of_family("W1"), "they are one family"
    desk.reversed("I1")
    assert desk.effects_of_family("W1") == ()
    assert desk.filed("I1").status == "reversed"
    assert desk.authorizations_of("W1") == ()
