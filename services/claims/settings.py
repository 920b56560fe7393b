"""What the steps of claims are set to; hours are business time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsSettings:
    """When the day's phases are, and how patient we are."""

    cut_at: time = time(18, 0)
    """Claims that are ready are cut into batches."""
    pull_at: time = time(20, 0)
    """Acknowledgements are pulled from the clearinghouse."""
    claims_in_a_batch: int = 500
    ask_for_days: int = 30
    """How long an acknowledgement that has not come is looked for."""
    next_payer_days: int = 30
    """When a payer after the first is asked after that has not answered."""


SETTINGS = ClaimsSettings()


def next_time(after: datetime, hour: time) -> datetime:
    """The first moment strictly after `after` at which it is that hour."""
    found = datetime.combine(after.astimezone(UTC).date(), hour, UTC)
    return found if found > after else found + timedelta(days=1)


def business_days(day: date, count: int) -> date:
    """The day that many business days later; Saturdays and Sundays do not count."""
    step = 1 if count >= 0 else -1
    while count:
        day += timedelta(days=step)
        if day.weekday() < 5:
            count -= step
    return day
