"""Money is whole cents, and what is finer is refused rather than rounded away."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.money import cents, dollars, round_half_up, share


@given(st.integers(-(10**12), 10**12))
def test_an_amount_reads_back_as_it_was_written(amount: int) -> None:
    assert cents(dollars(amount)) == amount


@pytest.mark.parametrize(("text", "amount"), [("135", 13_500), ("135.5", 13_550), (".05", 5), ("-0.01", -1), ("0", 0)])
def test_amounts_are_read_as_payers_write_them(text: str, amount: int) -> None:
    assert cents(text) == amount


@pytest.mark.parametrize("text", ["1.005", "", "abc", "NaN", "Infinity", "1,000.00", "1e-3"])
def test_what_is_not_whole_cents_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        cents(text)


def test_halves_are_rounded_away_from_zero_as_payers_do() -> None:
    assert round_half_up(Decimal("0.5")) == 1
    assert round_half_up(Decimal("-0.5")) == -1
    assert share(10_525, Decimal("0.2")) == 2_105
    assert share(13, Decimal("0.5")) == 7
