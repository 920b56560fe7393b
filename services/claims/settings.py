"""What the steps of claims are set to; hours are local where the tenant's clearinghouse has its day."""

from dataclasses import dataclass
from datetime import date, time, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsSettings:
    """When the day's phases are, and how patient we are."""

    cut_at: time = time(18, 0)
    """Claims that are ready are cut into batches."""
    pull_at: time = time(20, 0)
    """Acknowledgements are pulled from the clearinghouse."""
    silence_at: time = time(21, 0)
    """Whoever has not answered by then is asked after."""
    claims_in_a_batch: int = 500
    ask_for_days: int = 30
    """How long an acknowledgement that has not come is looked for."""
    undecided_days: int = 30
    """When the first payer is asked after a claim that it has not decided, and how often from then on."""
    next_payer_days: int = 30
    """When a payer after the first is asked after that has not answered."""


SETTINGS = ClaimsSettings()


def business_days(day: date, count: int) -> date:
    """The day that many business days later; Saturdays and Sundays do not count."""
    step = 1 if count >= 0 else -1
    while count:
        day += timedelta(days=step)
        if day.weekday() < 5:
            count -= step
    return day
