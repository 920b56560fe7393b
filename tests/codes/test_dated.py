"""A fact and the days on which it holds."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.codes.dated import Book, Span


@dataclass(frozen=True)
class Fact:
    name: str
    span: Span


def test_two_versions_may_not_hold_on_one_day() -> None:
    first = Fact("a", Span(effective_to=date(2026, 1, 1)))
    second = Fact("a", Span(effective_from=date(2026, 1, 1)))
    with pytest.raises(AssertionError):
        Book([first, second], key=lambda f: f.name)


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)))
def test_each_day_has_the_version_that_holds(change: date) -> None:
    before = Fact("a", Span(effective_to=change))
    after = Fact("a", Span(effective_from=change + timedelta(days=1)))
    book = Book([after, before], key=lambda f: f.name)
    assert book.on("a", change) is before
    assert book.on("a", change + timedelta(days=1)) is after
    assert book.on("b", change) is None
