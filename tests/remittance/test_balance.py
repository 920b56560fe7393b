"""The three balances of an 835, with each difference named."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.remittance.balance import claim_differences, transaction_difference
from services.remittance.domain.adjustments import Adjustment
from services.remittance.domain.era import EraClaim, EraLine
from services.remittance.read import eras

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "x12-corpus" / "835"
UNBALANCED = {
    "affect__sample_835.txt",
    "affect__sample_835_with_interests.txt",
    "synthetic__unbalanced_transaction.edi",
}


def co45(cents: int) -> tuple[Adjustment, ...]:
    return (Adjustment(group="CO", reason="45", amount_cents=cents),)


def a_line(charge: int, paid: int, adjusted: int) -> EraLine:
    return EraLine(procedure="90834", charge_cents=charge, paid_cents=paid, adjustments=co45(adjusted))


def a_claim(*lines: EraLine, charge: int, paid: int, adjusted: int = 0, **more: Any) -> EraClaim:
    adjustments = co45(adjusted) if adjusted else ()
    return EraClaim(
        pcn="P1", status="1", charge_cents=charge, paid_cents=paid, adjustments=adjustments, lines=lines, **more
    )


def words(claim: EraClaim) -> list[str]:
    return [one.words for one in claim_differences(claim)]


def test_a_claim_that_balances_has_no_difference() -> None:
    assert words(a_claim(a_line(13500, 9300, 4200), charge=13500, paid=9300)) == []


def test_a_claim_level_adjustment_counts_once() -> None:
    assert words(a_claim(a_line(10000, 9500, 500), charge=10000, paid=9000, adjusted=500)) == []


def test_a_line_that_is_off_is_named() -> None:
    said = words(a_claim(a_line(13500, 9300, 4100), charge=13500, paid=9300))
    assert said[0] == "line 1: charge 135.00 less adjustments is not paid 93.00, it differs by 1.00"
    assert said[1] == "charge 135.00 less adjustments 41.00 is not paid 93.00, it differs by 1.00"


def test_lines_that_are_not_the_claim_are_named() -> None:
    assert words(a_claim(a_line(100, 100, 0), charge=200, paid=200)) == [
        "the lines' charges are 1.00, the claim's 2.00"
    ]


def test_what_could_not_be_read_is_no_balance() -> None:
    assert words(a_claim(charge=0, paid=0, defects=("CLP",))) == ["a value of CLP cannot be read"]


@given(st.lists(st.integers(-(10**7), 10**7)), st.lists(st.integers(-(10**6), 10**6)))
def test_a_transaction_is_its_claims_less_its_provider_adjustments(paid: Any, adjustments: Any) -> None:
    amount = sum(paid) - sum(adjustments)
    assert transaction_difference(amount_cents=amount, paid_cents=paid, provider_adjustments=adjustments) == 0
    assert transaction_difference(amount_cents=amount + 250, paid_cents=paid, provider_adjustments=adjustments) == 250


@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus beside the checkout")
@pytest.mark.parametrize("path", sorted(CORPUS.glob("*")) if CORPUS.exists() else [], ids=lambda path: path.name)
def test_payers_own_835s_balance_where_they_should(path: Path) -> None:
    found = eras(path.read_bytes(), "tnt_a")
    assert found, "no remittance read"
    differences = [era.difference_cents for era in found] + [
        one.words for era in found for claim in era.claims for one in claim_differences(claim)
    ]
    assert any(differences) is (path.name in UNBALANCED), differences
