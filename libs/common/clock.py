"""Two clocks: business time, read once per transaction from a `Clock`; wall time for leases and signatures."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Where business time comes from: a SQL expression that the database evaluates at the transaction's begin."""

    @property
    def expression(self) -> str: ...


CLOCK_MOVED = "platform_clock"
"""The channel on which local workers hear that business time has been moved."""


class PlatformClock:
    """The movable clock of local mode: one row, `platform.clock`, that all services follow."""

    expression = "platform.now()"


class SystemClock:
    """The real time, everywhere but in local mode."""

    expression = "pg_catalog.now()"


def wall() -> datetime:
    """Wall time, aware UTC; the one place that reads it."""
    return datetime.now(UTC)


def zone(name: str) -> tzinfo:
    """The time zone of that IANA name; UTC needs no table of zones. Raises ValueError where there is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError):
        raise ValueError(name) from None


def at_hour(day: date, hour: time, there: tzinfo) -> datetime:
    """That hour of the day there, in UTC; an hour that comes twice is the first, one that is skipped the one after."""
    return datetime.combine(day, hour, there).astimezone(UTC)


@lru_cache(64)
def next_time(after: datetime, hour: time, there: tzinfo) -> datetime:
    """The first moment strictly after `after` at which it is that hour there, in UTC."""
    day = after.astimezone(there).date()
    found = at_hour(day, hour, there)
    return found if found > after else at_hour(day + timedelta(days=1), hour, there)
