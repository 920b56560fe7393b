"""What a payer allows for a service, from the schedule that the tenant has loaded."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from libs.common.db import Row, Transaction
from services.eligibility import store
from services.eligibility.estimate import Line


async def priced(
    tx: Transaction, payer_id: str, practice_id: str, services: Iterable[Mapping[str, Any]], on: date
) -> list[Line]:
    """The session's services with what the payer allows for each, where a fee is on file."""
    asked = list(services)
    rows = await store.fees(tx, payer_id, practice_id, {one["procedure"] for one in asked}, on)
    return [
        Line(
            code=one["procedure"],
            charge_cents=one["charge_cents"],
            allowed_cents=_allowed(rows, one["procedure"], one["modifiers"], one["units"]),
        )
        for one in asked
    ]


def _allowed(rows: Sequence[Row], code: str, modifiers: Iterable[str], units: int) -> int | None:
    """The fee of the newest schedule that has the code; the row with the most of the line's modifiers decides."""
    have = set(modifiers)
    fitting = [row for row in rows if row["code"] == code and set(row["modifiers"]) <= have]
    if not fitting:
        return None
    newest = (fitting[0]["practice_id"], fitting[0]["effective_from"])
    same = [row for row in fitting if (row["practice_id"], row["effective_from"]) == newest]
    best = max(same, key=lambda row: len(row["modifiers"]))
    return int(best["allowed_cents"]) * units
