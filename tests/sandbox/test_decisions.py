"""What a decision promises of itself."""

from dataclasses import replace
from datetime import date

import pytest

from services.sandbox.claims837 import Adjustment
from services.sandbox.decisions import Authorization, Decision, LineDecision, Rostered
from tests.sandbox.scenes import MONDAY, a_line


def test_a_line_explains_every_cent_that_it_does_not_pay() -> None:
    short = Adjustment(group="CO", reason="45", cents=3000)
    LineDecision(line=a_line(), paid_cents=10500, adjustments=(short,))
    with pytest.raises(AssertionError, match="explain"):
        LineDecision(line=a_line(), paid_cents=10400, adjustments=(short,))


def test_a_claim_is_the_sum_of_its_lines() -> None:
    patient = Adjustment(group="PR", reason="3", cents=2500)
    lines = (
        LineDecision(line=a_line(), paid_cents=11000, adjustments=(patient,)),
        LineDecision(line=a_line(number=2), paid_cents=13500),
    )
    decision = Decision(status="1", lines=lines)
    assert (decision.charge_cents, decision.paid_cents, decision.patient_cents) == (27000, 24500, 2500)


def test_rosters_and_authorizations_hold_from_the_first_to_the_last_day() -> None:
    loaded = Rostered(npi="1", billing_npi="2", effective_from=date(2026, 10, 1), effective_to=date(2026, 10, 5))
    assert (loaded.on(MONDAY), loaded.on(date(2026, 10, 6))) == (True, False)
    held = Authorization(number="A", codes=("90834",), units=1, valid_from=MONDAY, valid_to=MONDAY)
    assert held.covers(a_line())
    assert not held.covers(a_line(code="90837"))
    assert replace(held, codes=()).covers(a_line(code="90837"))
