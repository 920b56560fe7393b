"""What a member has used, as a sum over what stands."""

from datetime import date

from services.sandbox.accumulators import Effect, units_used, used
from tests.sandbox.files import RENDERING_NPI
from tests.sandbox.scenes import MONDAY, a_member


def an_effect(**changes: object) -> Effect:
    values = {
        "icn": "I1",
        "line": 1,
        "member_id": "W1",
        "service_date": MONDAY,
        "code": "90834",
        "modifiers": (),
        "rendering_npi": RENDERING_NPI,
        "units": 1,
        "visit": True,
    }
    return Effect(**(values | changes))  # type: ignore[arg-type]


def test_what_was_used_before_counts_in_its_own_year_only() -> None:
    member = a_member(used_year=2026, deductible_used_cents=10000, oop_used_cents=15000, visits_used=3, eap_used=1)
    this = used(member, [], 2026)
    assert (this.deductible_cents, this.oop_cents, this.visits, this.eap_sessions) == (10000, 15000, 3, 1)
    assert used(member, [], 2027) == used(a_member(), [], 2027)


def test_two_lines_of_one_clinician_and_day_are_one_visit() -> None:
    effects = [an_effect(), an_effect(line=2, code="90785"), an_effect(icn="I2", service_date=date(2026, 10, 6))]
    assert used(a_member(), effects, 2026).visits == 2
    assert used(a_member(), [an_effect(), an_effect(rendering_npi="1999999984")], 2026).visits == 2


def test_the_family_deductible_is_the_sum_of_the_family() -> None:
    effects = [an_effect(deductible_cents=3000), an_effect(icn="I2", member_id="W2", deductible_cents=4000)]
    so_far = used(a_member(), effects, 2026)
    assert (so_far.deductible_cents, so_far.family_deductible_cents) == (3000, 7000)


def test_units_are_counted_by_authorization() -> None:
    effects = [an_effect(units=4, authorization="A1"), an_effect(line=2, units=2, authorization="A2")]
    assert units_used(effects, "A1") == 4


def test_a_member_is_covered_from_the_first_to_the_last_day() -> None:
    member = a_member(effective_from=date(2026, 10, 1), effective_to=date(2026, 10, 31))
    days = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1)]
    assert [member.covered_on(day) for day in days] == [False, True, True, False]
