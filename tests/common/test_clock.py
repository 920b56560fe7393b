"""Hours of the day in places that change their clocks."""

from datetime import UTC, date, datetime, time

import pytest

from libs.common.clock import at_hour, next_time, zone

NEW_YORK, LOS_ANGELES = zone("America/New_York"), zone("America/Los_Angeles")


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "then"),
    [
        (utc(10, 5, 21, 59), utc(10, 5, 22)),
        (utc(10, 5, 22), utc(10, 6, 22)),
        # the clocks go back on 1 November: the same hour there, an hour later in UTC
        (utc(10, 31, 22), utc(11, 1, 23)),
        (utc(11, 1, 22), utc(11, 1, 23)),
        # and forward on 8 March
        (utc(3, 7, 23), utc(3, 8, 22)),
    ],
)
def test_six_in_the_evening_is_six_in_the_evening_all_year(after: datetime, then: datetime) -> None:
    assert next_time(after, time(18), NEW_YORK) == then


def test_days_are_counted_there() -> None:
    assert next_time(utc(10, 6, 0), time(18), LOS_ANGELES) == utc(10, 6, 1)
    assert at_hour(date(2026, 10, 5), time(18), LOS_ANGELES) == utc(10, 6, 1)


def test_every_day_has_its_hour_once_also_where_the_clocks_skip_or_repeat_it() -> None:
    for hour in (time(1, 30), time(2, 30)):
        for start in (utc(3, 1, 12), utc(10, 28, 12)):
            found = [start]
            for _ in range(14):
                found.append(next_time(found[-1], hour, NEW_YORK))
            days = [one.astimezone(NEW_YORK).date() for one in found[1:]]
            assert len(set(days)) == 14
            assert (days[-1] - days[0]).days == 13


@pytest.mark.parametrize("name", ["Moon/Crater", "", "America", "../etc/passwd"])
def test_there_is_no_such_zone(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        zone(name)
