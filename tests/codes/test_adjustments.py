"""How the money behind a payer's reason code is accounted for."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.codes.adjustments import GROUPS, Adjusts, Fix, classify, reason, reasons
from libs.x12.codes import code_list

DAY = date(2026, 10, 5)


@pytest.mark.parametrize("code", ["26", "27", "31", "96", "119", "204"])
def test_patient_group_with_a_coverage_reason_is_a_denial_until_somebody_decides(code: str) -> None:
    assert classify("PR", code, "pay_harborbh", DAY) is Adjusts.DENIAL


@pytest.mark.parametrize("code", ["1", "2", "3"])
def test_deductible_coinsurance_and_copay_are_the_patients_share_only_in_group_pr(code: str) -> None:
    assert classify("PR", code, None, DAY) is Adjusts.PATIENT
    assert classify("CO", code, None, DAY) is Adjusts.UNKNOWN


@pytest.mark.parametrize(
    ("group", "code", "adjusts"),
    [
        ("CO", "45", Adjusts.CONTRACTUAL),
        ("CO", "253", Adjusts.SEQUESTRATION),
        ("CO", "104", Adjusts.WITHHOLD),
        ("OA", "23", Adjusts.PRIOR_PAYER),
        ("CO", "24", Adjusts.CONTRACTUAL),
        ("CO", "197", Adjusts.DENIAL),
        ("OA", "18", Adjusts.DENIAL),
        ("CO", "109", Adjusts.DENIAL),
        ("OA", "133", Adjusts.INFORMATION),
    ],
)
def test_each_adjustment_has_its_account(group: str, code: str, adjusts: Adjusts) -> None:
    assert classify(group, code, "pay_medicare", DAY) is adjusts


def test_a_code_that_nobody_has_classified_guesses_nothing() -> None:
    assert classify("CO", "Z99", "pay_medicare", DAY) is Adjusts.UNKNOWN
    assert classify("CR", "45", "pay_medicare", DAY) is Adjusts.UNKNOWN


def test_an_end_dated_code_is_known_only_while_it_held() -> None:
    assert classify("CO", "15", None, date(2018, 1, 1)) is Adjusts.DENIAL
    assert classify("CO", "15", None, DAY) is Adjusts.UNKNOWN


@pytest.mark.parametrize("code", sorted(reasons()))
def test_the_x12_library_lists_the_same_codes_to_the_same_day(code: str) -> None:
    published = code_list("carc")
    _, end = published.spans.get(code, (None, None))
    assert code in published
    assert (reason(code, DAY) is None) == (end is not None)
    if end:
        assert reason(code, end) is not None
        assert reason(code, end + timedelta(days=1)) is None


def test_leading_zeros_are_the_payers_habit_not_another_code() -> None:
    assert classify("CO", "045", None, DAY) is Adjusts.CONTRACTUAL


@given(st.sampled_from(sorted(reasons())), st.sampled_from(GROUPS))
def test_what_is_a_denial_says_how_it_can_be_answered(code: str, group: str) -> None:
    known = reason(code, date(2018, 1, 1))
    assert known is not None
    assert known.meaning
    assert known.action
    if classify(group, code, None, date(2018, 1, 1)) is Adjusts.DENIAL:
        assert known.fix is not Fix.INFORMATION or known.category != "patient_responsibility"
