"""Who bills at which level."""

from datetime import date

from libs.codes.taxonomies import taxonomy


def test_medicare_takes_counselors_since_2024() -> None:
    counselor = taxonomy("101YM0800X")
    assert counselor is not None
    assert not counselor.medicare_enrolls(date(2023, 12, 31))
    assert counselor.medicare_enrolls(date(2024, 1, 1))


def test_an_unknown_taxonomy_is_nobody() -> None:
    assert taxonomy("000000000X") is None
