"""Remark codes (RARC): what narrows a payer's reason down, and so the root cause of a denial."""

from dataclasses import dataclass
from datetime import date
from functools import cache

from libs.codes.adjustments import Fix
from libs.codes.dated import Book, Span, load

SEND_NEW = frozenset({"MA130", "N142", "N517"})
"""The payer keeps no claim that could be replaced: what follows is a new original."""

FORWARDED = frozenset({"MA07", "MA18", "N89"})
"""The payer has passed the claim on to the next one (to Medicaid, to a supplemental insurer, to several)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    code: str
    meaning: str
    category: str
    fix: Fix
    action: str
    span: Span


@cache
def remarks() -> Book[Remark]:
    data = load("rarcs.yaml")
    return Book(
        (
            Remark(
                code=row["code"],
                meaning=row["meaning"],
                category=row["category"],
                fix=Fix(row["fix"]),
                action=row["action"],
                span=Span.of(row, data["effective_from"]),
            )
            for row in data["codes"]
        ),
        key=lambda r: r.code,
    )


def remark(code: str, on: date) -> Remark | None:
    """What the remark says on that day; None for one that we do not know."""
    return remarks().on(code, on)
