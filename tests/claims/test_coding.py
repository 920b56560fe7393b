"""Minutes become codes, with a reason that a biller can read."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.codes.procedures import procedure
from services.claims.coding import NotBillable, Session, check, code, crisis, psychotherapy, quarter_hours

DAY = date(2026, 10, 5)
MINUTES = st.integers(min_value=0, max_value=480)


def session(kind: str = "individual", minutes: int | None = 45, **more: object) -> Session:
    return Session(kind=kind, minutes=minutes, on=DAY, **more)  # type: ignore[arg-type]


def codes(of: Session) -> list[tuple[str, int]]:
    return [(line.code, line.units) for line in code(of)]


@pytest.mark.parametrize(
    ("minutes", "alone", "beside_a_visit"),
    [
        (16, "90832", "90833"),
        (37, "90832", "90833"),
        (38, "90834", "90836"),
        (52, "90834", "90836"),
        (53, "90837", "90838"),
        (120, "90837", "90838"),
    ],
)
def test_the_minutes_choose_the_therapy_code(minutes: int, alone: str, beside_a_visit: str) -> None:
    assert codes(session(minutes=minutes)) == [(alone, 1)]
    assert codes(session(minutes=minutes, visit_code="99214")) == [("99214", 1), (beside_a_visit, 1)]


def test_fifteen_minutes_are_no_therapy_but_the_visit_stays() -> None:
    with pytest.raises(NotBillable, match="15 minutes are fewer than the 16"):
        code(session(minutes=15))
    assert codes(session(minutes=15, visit_code="99213")) == [("99213", 1)]


def test_a_crisis_of_fifteen_minutes_beside_a_visit_is_the_visit_alone() -> None:
    assert codes(session("crisis", 15, visit_code="99214")) == [("99214", 1)]
    assert codes(session("crisis", 16, visit_code="99214")) == [("99214", 1), ("90833", 1)]
    with pytest.raises(NotBillable, match="15 minutes are fewer than the 16"):
        code(session("crisis", 15))


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (29, [("90832", 1)]),
        (30, [("90839", 1)]),
        (74, [("90839", 1)]),
        (75, [("90839", 1), ("90840", 1)]),
        (104, [("90839", 1), ("90840", 1)]),
        (105, [("90839", 1), ("90840", 2)]),
        (135, [("90839", 1), ("90840", 3)]),
    ],
)
def test_a_crisis_is_an_hour_and_then_half_hours(minutes: int, expected: list[tuple[str, int]]) -> None:
    assert codes(session("crisis", minutes)) == expected


def test_family_group_and_intake() -> None:
    assert codes(session("family_with_patient", 50)) == [("90847", 1)]
    assert codes(session("family_without_patient", 26)) == [("90846", 1)]
    with pytest.raises(NotBillable):
        code(session("family_with_patient", 25))
    assert codes(session("group", 90)) == [("90853", 1)]
    assert codes(session("intake", None)) == [("90791", 1)]
    assert codes(session("intake_medical", 60, interactive_complexity=True)) == [("90792", 1), ("90785", 1)]


@pytest.mark.parametrize(
    ("minutes", "units", "full"),
    [
        (7, 0, 0),
        (8, 1, 0),
        (22, 1, 1),
        (23, 2, 1),
        (37, 2, 2),
        (38, 3, 2),
        (53, 4, 3),
        (98, 7, 6),
        (113, 8, 7),
        (127, 8, 8),
    ],
)
def test_quarter_hours_by_the_eight_minute_rule_and_by_full_units(minutes: int, units: int, full: int) -> None:
    assert quarter_hours(minutes, "eight_minute") == units
    assert quarter_hours(minutes, "full_unit") == full


def test_a_fifteen_minute_service_says_how_its_units_came_about() -> None:
    (line,) = code(session("units", 50, service_code="H0004"))
    assert (line.code, line.units, line.reason) == ("H0004", 3, "50 minutes make 3 units (8-minute rule)")
    with pytest.raises(NotBillable):
        code(session("units", 50, service_code="90834"))


@pytest.mark.parametrize(
    ("sent", "units", "minutes", "kind", "supported"),
    [
        ("90837", 1, 41, "up_code", "90834"),
        ("90834", 1, 55, "missed_revenue", "90837"),
        ("90834", 1, 12, "up_code", None),
        ("90839", 1, 20, "up_code", "90832"),
        ("90840", 3, 80, "up_code", "90840"),
        ("H0004", 4, 50, "up_code", "H0004"),
        ("H0004", 2, 50, "missed_revenue", "H0004"),
        ("90834", 1, None, "time_missing", None),
        ("90847", 1, 20, "up_code", None),
    ],
)
def test_a_code_that_the_minutes_do_not_support_is_named(
    sent: str, units: int, minutes: int | None, kind: str, supported: str | None
) -> None:
    found = check(sent, units, minutes, DAY)
    assert found is not None
    assert (found.kind, found.supported) == (kind, supported)


@given(MINUTES, st.booleans())
def test_therapy_is_one_code_whose_range_holds_the_minutes(minutes: int, with_visit: bool) -> None:
    try:
        chosen = psychotherapy(minutes, with_visit=with_visit)
    except NotBillable:
        assert minutes < 16
        return
    known = procedure(chosen.code, DAY)
    assert known is not None
    assert known.takes(minutes)
    assert known.add_on is with_visit
    assert check(chosen.code, chosen.units, minutes, DAY) is None


@given(MINUTES, MINUTES)
def test_more_minutes_never_support_less(fewer: int, more: int) -> None:
    fewer, more = sorted((fewer, more))
    for rounding in ("eight_minute", "full_unit"):
        assert quarter_hours(fewer, rounding) <= quarter_hours(more, rounding)
    if fewer >= 30:
        assert sum(line.units for line in crisis(fewer)) <= sum(line.units for line in crisis(more))


@given(MINUTES)
def test_what_we_code_ourselves_never_disagrees_with_its_minutes(minutes: int) -> None:
    for kind, service in (("crisis", None), ("units", "H2014"), ("family_with_patient", None)):
        try:
            lines = code(session(kind, minutes, service_code=service))
        except NotBillable:
            continue
        assert all(check(line.code, line.units, minutes, DAY) is None for line in lines)


@given(MINUTES)
def test_full_units_never_exceed_the_eight_minute_rule(minutes: int) -> None:
    assert quarter_hours(minutes, "full_unit") <= quarter_hours(minutes, "eight_minute") <= minutes // 15 + 1
