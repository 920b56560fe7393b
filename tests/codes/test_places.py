"""Where a session was, and at which rate."""

from datetime import date

from libs.codes.places import place


def test_telehealth_at_home_is_paid_as_an_office_and_elsewhere_as_a_facility() -> None:
    home, elsewhere = place("10", date(2026, 1, 1)), place("02", date(2026, 1, 1))
    assert home is not None
    assert elsewhere is not None
    assert (home.telehealth, home.facility) == (True, False)
    assert (elsewhere.telehealth, elsewhere.facility) == (True, True)


def test_a_place_is_not_known_before_it_was_published() -> None:
    assert place("10", date(2021, 12, 31)) is None
