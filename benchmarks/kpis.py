"""What a look at each key figure costs for each claim that it is about, at ten times the claims.

Three databases: a month of claims; ten times as many claims in that month; and that month after nine others of the
same size, whose claims are closed. Two readings of "ten times the claims", each where it is the honest one:

- A figure that is *about* ten times as many claims may take ten times as long, and no longer: the time in the second
  database, divided by ten, against the first. This holds for every figure.
- A figure of a period, or of what is open, must not pay for what is long closed: the time in the third database,
  undivided, against the first. Figures of all claims there ever were (`money`, `claims_by_status`) are about ten times
  as many claims there too, so theirs is divided.

Only the database's processor time counts: ours is the same in all three, and would hide what grows.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Any

import asyncpg

from benchmarks.copies import Meter, copy, multiply, settled
from benchmarks.figures import Figure, middle
from benchmarks.stage import Stage
from libs.common.db import Transaction
from libs.common.events import CATALOG, read
from services.reporting import kpis
from services.reporting.kpis import Scope
from services.reporting.rebuild import rebuild
from tests.conftest import TestDatabase
from tests.reporting.ledgers import TENANT, a_month

CLAIMS = 1_000
TIMES = 10
ROUNDS = 9
AT_MOST = 1.1
TODAY = date(2026, 10, 31)
OCTOBER = Scope(first=date(2026, 10, 1), last=TODAY)
LOOKS: dict[str, Callable[[Transaction], Awaitable[Any]]] = {
    "clean_claim_rate": lambda tx: kpis.clean_claim_rate(tx, OCTOBER),
    "first_pass_payment_rate": lambda tx: kpis.first_pass_payment_rate(tx, OCTOBER),
    "denial_rate": lambda tx: kpis.denial_rate(tx, OCTOBER),
    "denials": lambda tx: kpis.denials_by_payer_and_reason(tx, OCTOBER),
    "days_in_ar": lambda tx: kpis.days_in_ar(tx, OCTOBER),
    "net_collection_rate": lambda tx: kpis.net_collection_rate(tx, OCTOBER),
    "aging": lambda tx: kpis.aging(tx, OCTOBER, TODAY),
    "unbilled": lambda tx: kpis.unbilled(tx, OCTOBER),
    "money": lambda tx: kpis.money(tx, OCTOBER),
    "claims_by_status": lambda tx: kpis.claims_by_status(tx, OCTOBER),
}
OF_ALL = ("money", "claims_by_status")
TABLES = ("claim", "submission", "payment", "first_decision", "receivable", "denial")


async def measure(stage: Stage) -> list[Figure]:
    """Each figure by both readings."""
    await _one_month(stage.database)
    month, many, years = [await copy(stage, name) for name in ("month", "many", "years")]
    await settled(month)
    await multiply(many, "reporting", TABLES, TIMES - 1, _ANOTHER)
    await multiply(years, "reporting", TABLES, TIMES - 1, _LONG_CLOSED)
    costs = await _rounds((month, many, years))
    found = []
    for name, (one, more, older) in costs.items():
        seen = f"{one * 1e3:.2f}, {more * 1e3:.2f} and {older * 1e3:.2f} ms"
        found.append(_figure(f"{name}, of ten times the claims, per claim", more / TIMES / one, seen))
        if name in OF_ALL:
            found.append(_figure(f"{name}, of ten months, per claim", older / TIMES / one, seen))
        else:
            found.append(_figure(f"{name}, one month of ten", older / one, seen))
    return found


def _figure(name: str, value: float, seen: str) -> Figure:
    return Figure(name=f"kpi {name}", value=value, target=AT_MOST, at_most=True, seen=seen)


async def _one_month(database: TestDatabase) -> None:
    """The archive of a month, the tables that it makes; a twentieth of the claims has not been sent."""
    connection = await asyncpg.connect(database.admin_url)
    try:
        await connection.copy_records_to_table(
            "record",
            schema_name="reporting",
            columns=("event_id", "tenant_id", "practice_id", "type", "subject", "at", "value"),
            records=[_record(raw) for raw in a_month(CLAIMS)],
        )
        await rebuild(database.url("reporting", "owner"))
        await connection.execute(
            "update reporting.claim set attempts = 0, status = 'waiting' where hashtext(claim_id) % 20 = 0"
        )
    finally:
        await connection.close()


def _record(raw: bytes) -> tuple[Any, ...]:
    topic = next(t for t in CATALOG if f'"type":"{t}.v1"'.encode() in raw)
    event = read(raw, CATALOG[topic])
    return event.id, TENANT, getattr(event.data, "practice_id", None), event.type, event.subject, event.time, raw


async def _rounds(databases: tuple[TestDatabase, ...]) -> dict[str, list[float]]:
    """Of each figure, the seconds of the database in each of the three: the median of rounds in turn."""
    opened = [(one.open("reporting", "api"), Meter(one)) for one in databases]
    costs: dict[str, list[list[float]]] = {name: [[] for _ in databases] for name in LOOKS}
    for number in range(ROUNDS + 1):
        for name, look in LOOKS.items():
            for index, (database, meter) in enumerate(opened):
                async with database.transaction(TENANT) as tx:
                    _, seconds = await meter.of(partial(look, tx))
                if number:  # the first one warms up
                    costs[name][index].append(seconds)
    for one, (_, meter) in zip(databases, opened, strict=True):
        await meter.close()
        await one.close()
    return {name: [middle(seconds) for seconds in found] for name, found in costs.items()}


_IDS = "claim_id", "encounter_id", "submission_id", "posting_id", "denial_id", "era_id", "line_id", "event_id"
_RENAMED = ", ".join(f"'{name}', row ->> '{name}' || '_' || k" for name in _IDS)
_DATES = ", ".join(
    f"'{name}', (row ->> '{name}')::date - 31 * k"
    for name in ("submitted_on", "paid_on", "raised_on", "first_billed_on")
)
_KNOWN = "(select jsonb_object_agg(key, value) from jsonb_each({patch}) where row ? key)"
_ANOTHER = f"row || {_KNOWN.format(patch=f'jsonb_build_object({_RENAMED})')}"
_CLOSED = (
    "'status', 'paid', 'attempts', 1, 'in_flight_cents', 0, 'denied_open_cents', 0, 'withheld_cents', 0, "
    "'patient_cents', 0"
)
_LONG_CLOSED = f"row || {_KNOWN.format(patch=f'jsonb_build_object({_RENAMED}, {_DATES}, {_CLOSED})')}"
