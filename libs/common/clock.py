"""Two clocks: business time, read once per transaction from a `Clock`; wall time for leases and signatures."""

from datetime import UTC, datetime
from typing import Protocol


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
