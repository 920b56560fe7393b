"""Procedures as facts with dates, and what may stand together on one day."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from libs.codes.procedures import conflict, family, procedure, procedures

DAY = date(2026, 10, 5)
CODES = st.sampled_from(sorted(procedures()))


def test_a_withdrawn_code_is_known_until_its_last_day() -> None:
    assert procedure("99441", date(2024, 12, 31)) is not None
    assert procedure("99441", date(2025, 1, 1)) is None
    assert family("99441", DAY) == "other"


def test_intake_never_stands_beside_therapy_and_group_does_with_a_modifier() -> None:
    intake = conflict("90791", "90834", DAY)
    group = conflict("90834", "90853", DAY)
    assert intake is not None
    assert group is not None
    assert (intake.allowed_with_modifier, group.allowed_with_modifier) == (False, True)
    assert "90834" in group.second
    assert conflict("99214", "90836", DAY) is None


@given(CODES, CODES)
def test_a_conflict_does_not_depend_on_who_is_named_first(one: str, other: str) -> None:
    assert conflict(one, other, DAY) == conflict(other, one, DAY)


@given(CODES)
def test_every_add_on_names_primaries_that_exist(code: str) -> None:
    for fact in procedures()[code]:
        assert all(primary in procedures() for primary in fact.primaries)
        assert fact.mue >= 1
        assert fact.to_minutes is None or (fact.from_minutes or 0) <= fact.to_minutes
