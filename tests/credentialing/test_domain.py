"""NPIs, tax numbers and addresses are checked by their own rules; an enrollment follows its table."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.credentialing.domain import (
    NEXT,
    Enrollment,
    IllegalStep,
    Status,
    Step,
    Undated,
    is_npi,
    is_post_box,
    is_taxonomy,
    is_tin,
    level_of,
    next_notice,
)

DAY = date(2026, 10, 5)


def an_enrollment(**changes: object) -> Enrollment:
    values: dict[str, object] = {
        "id": "enr_1",
        "provider_id": "prv_1",
        "practice_id": "prc_1",
        "payer_id": "pay_harborbh",
        "status_since": DAY,
        "effective_from": date(2026, 1, 1),
        "effective_to": date(2026, 12, 31),
        "payer_loaded_on": DAY,
    }
    return Enrollment(**values | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("npi", ["1234567893", "1999999984", "1999999992"])
def test_a_real_npi_passes_its_check_digit(npi: str) -> None:
    assert is_npi(npi)


@given(place=st.integers(1, 9), digit=st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_found(place: int, digit: str) -> None:
    npi = "1234567893"
    changed = npi[:place] + digit + npi[place + 1 :]
    assert is_npi(changed) is (changed == npi)


@pytest.mark.parametrize("text", ["", "123456789", "12345678930", "3234567893", "12345O7893", "1234567893\n"])
def test_what_is_not_ten_digits_is_no_npi(text: str) -> None:
    assert not is_npi(text)


def test_a_tax_number_has_nine_digits_and_no_dash() -> None:
    assert is_tin("741234567")
    assert not is_tin("74-1234567")
    assert not is_tin("000000000")


def test_a_taxonomy_code_ends_in_x() -> None:
    assert is_taxonomy("1041C0700X")
    assert not is_taxonomy("1041C07000")
    assert not is_taxonomy("1041c0700X")


@pytest.mark.parametrize("line", ["PO Box 9", "P.O. Box 12", "p o box 3", "Post Office Box 4", "LOCKBOX 55"])
def test_nobody_is_treated_in_a_post_office_box(line: str) -> None:
    assert is_post_box(line)


@pytest.mark.parametrize("line", ["100 Main St", "12 Boxwood Ln", "4 Polk Box Elder Rd"])
def test_a_street_is_not_a_box(line: str) -> None:
    assert not is_post_box(line)


def test_the_level_comes_from_the_taxonomy() -> None:
    assert level_of("103TC0700X") == "psychologist"
    assert level_of("1041C0700X") == "master"
    assert level_of("2084P0800X") == "physician"
    assert level_of("999999999X") == "other"


@given(st.sampled_from(Status), st.sampled_from(Step))
def test_every_step_either_follows_the_table_or_is_refused(status: Status, step: Step) -> None:
    one = an_enrollment(status=status)
    if (status, step) in NEXT:
        moved = one.take(step, on=DAY)
        assert (moved.status, moved.version) == (NEXT[status, step], one.version + 1)
    else:
        with pytest.raises(IllegalStep):
            one.take(step, on=DAY)


def test_an_enrollment_is_not_loaded_without_an_effective_date() -> None:
    with pytest.raises(Undated):
        an_enrollment(status=Status.APPROVED, effective_from=None).take(Step.LOAD, on=DAY)


def test_an_enrollment_does_not_end_before_it_begins() -> None:
    with pytest.raises(Undated):
        an_enrollment(status=Status.EFFECTIVE).changed(effective_to=date(2025, 12, 31))


@pytest.mark.parametrize(
    ("kind", "notices"), [("licence", [120, 90, 60, 30, 14, 7, 0]), ("caqh_attestation", [30, 14, 7, 0])]
)
def test_notices_come_on_their_days(kind: str, notices: list[int]) -> None:
    ends = date(2027, 3, 31)
    days, day = [], next_notice(kind, ends, date(2026, 1, 1))
    while day is not None:
        days.append((ends - day).days)
        day = next_notice(kind, ends, day)
    assert days == notices
