"""The month: day by day, phase by phase, moving on when the flow has come to rest."""

from collections.abc import Callable
from datetime import date, timedelta

from deploy.local.demo.client import Client
from deploy.local.demo.people import People
from deploy.local.demo.practice import FIRST_DAY, LAST_DAY
from deploy.local.demo.quiet import quiet

CLOSE = LAST_DAY + timedelta(days=7)
"""The figures are those of the end of this day, when the last claims have been answered."""

SUNDAY = 6
PHASES = (
    ("04:00", "payers release 835s"),
    ("06:00", "remittances are posted"),
    ("12:00", "people work"),
    ("18:00", "claims go out"),
    ("20:00", "acknowledgements are read"),
    ("22:00", "payers adjudicate"),
    ("23:30", "sessions come in"),
)


async def run(
    client: Client,
    people: People,
    progress: Callable[[date, str], None],
    *,
    first_day: date = FIRST_DAY,
    last_day: date = CLOSE,
) -> None:
    """Every day from the first to the last, each phase to its rest."""
    day = first_day
    while day <= last_day:
        for clock, name in PHASES:
            if not _happens(day, name):
                continue
            progress(day, name)
            await client.post("sandbox", "/v1/clock/advance", {"to": f"{day}T{clock}:00Z"})
            if name == "people work":
                await people.morning(day)
            elif name == "sessions come in":
                await people.sessions_end(day)
            await quiet(client)
        day += timedelta(days=1)


def _happens(day: date, phase: str) -> bool:
    """Nobody works and no payer pays at the weekend, when Friday's claims still go out on Saturday."""
    if day.weekday() == SUNDAY:
        return False
    if phase == "sessions come in":
        return day <= LAST_DAY and day.weekday() < 5
    if phase in ("people work", "payers release 835s"):
        return day.weekday() < 5
    return True
