"""What adjustments come to: contract, patient, denial, withhold, prior payer; an unknown code moves nothing."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.remittance.domain.adjustments import Adjustment, Classified, classified, spread

ON = date(2026, 10, 5)


def of(*said: tuple[str, str, int]) -> Classified:
    adjustments = [Adjustment(group=group, reason=reason, amount_cents=amount) for group, reason, amount in said]
    return classified(adjustments, payer_id="pay_harborbh", on=ON)


def test_a_paid_line() -> None:
    found = of(("CO", "45", 1700), ("PR", "3", 2500))
    assert (found.contractual, found.patient, found.denied, found.leading) == (1700, 2500, 0, None)


def test_a_denial_beside_a_contractual_reduction_is_a_denial_of_the_rest() -> None:
    found = of(("CO", "45", 2000), ("CO", "197", 8000))
    assert (found.contractual, found.denied) == (2000, 8000)
    assert found.leading == Adjustment(group="CO", reason="197", amount_cents=8000)


def test_pr_204_is_a_denial_until_somebody_decides() -> None:
    assert of(("PR", "204", 13500)).denied == 13500


def test_sequestration_is_never_the_patients() -> None:
    found = of(("CO", "253", 160), ("PR", "2", 2000))
    assert (found.contractual, found.patient) == (160, 2000)


def test_a_withhold_and_a_prior_payer() -> None:
    found = of(("CO", "104", 500), ("OA", "23", 8000))
    assert (found.withheld, found.explained) == (500, 8000)


def test_a_code_that_nobody_knows_guesses_nothing() -> None:
    found = of(("CO", "Z99", 700))
    assert (found.unknown, found.contractual, found.denied) == (700, 0, 0)


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=6), st.data())
def test_spreading_loses_no_cent_and_overfills_no_line(capacities: Any, data: Any) -> None:
    amount = data.draw(st.integers(0, sum(capacities)))
    parts = spread(amount, capacities)
    assert sum(parts) == amount
    assert all(0 <= part <= capacity for part, capacity in zip(parts, capacities, strict=True))
