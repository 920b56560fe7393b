"""Modifiers that exclude each other."""

from datetime import date

from libs.codes.modifiers import clashes, modifier

DAY = date(2026, 10, 5)


def test_a_session_is_by_video_or_by_voice_but_not_both() -> None:
    assert clashes(("95", "93"), DAY) == ("95", "93")
    assert clashes(("59", "XE", "HO"), DAY) == ("59", "XE")
    assert clashes(("95", "HO", "HJ"), DAY) == ()


def test_a_modifier_exists_from_its_first_day() -> None:
    assert modifier("93", date(2021, 12, 31)) is None
    assert modifier("93", date(2022, 1, 1)) is not None
