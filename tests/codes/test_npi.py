"""The check digit of an NPI."""

from hypothesis import given
from hypothesis import strategies as st

from libs.codes.npi import valid


@given(st.from_regex(r"[12][0-9]{8}", fullmatch=True))
def test_exactly_one_last_digit_is_right(first_nine: str) -> None:
    assert sum(valid(f"{first_nine}{digit}") for digit in range(10)) == 1


@given(st.text(max_size=12))
def test_what_is_not_ten_digits_is_no_npi(text: str) -> None:
    if len(text) != 10 or not text.isdigit():
        assert not valid(text)
