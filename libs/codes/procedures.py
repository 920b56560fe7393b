"""Procedures of behavioral health: how time makes units, what needs what, and what may stand on one day."""

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from libs.codes.dated import Book, Span, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One CPT or HCPCS code as it stands on some days."""

    code: str
    meaning: str
    family: str
    """What the open part of an event may say of it."""
    regime: str
    from_minutes: int | None
    to_minutes: int | None
    mue: int
    mai: int
    primaries: tuple[str, ...]
    prescriber: bool
    span: Span

    @property
    def add_on(self) -> bool:
        return bool(self.primaries)

    @property
    def timed(self) -> bool:
        return self.regime in {"range", "first", "additional", "per15"}

    def takes(self, minutes: int) -> bool:
        """Whether that many documented minutes support one unit of the code."""
        low = self.from_minutes or 0
        return low <= minutes and (self.to_minutes is None or minutes <= self.to_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SameDay:
    """Two families of codes on one day for one patient and clinician: never, or only with a modifier."""

    first: frozenset[str]
    second: frozenset[str]
    """The modifier goes on the second."""
    allowed_with_modifier: bool
    span: Span

    def names(self, one: str, other: str) -> bool:
        return (one in self.first and other in self.second) or (other in self.first and one in self.second)


def _procedure(row: dict[str, Any], default_from: date) -> Procedure:
    return Procedure(
        code=row["code"],
        meaning=row["meaning"],
        family=row["family"],
        regime=row["regime"],
        from_minutes=row.get("from_minutes"),
        to_minutes=row.get("to_minutes"),
        mue=row["mue"],
        mai=row["mai"],
        primaries=tuple(row.get("primaries", ())),
        prescriber=row.get("prescriber", False),
        span=Span.of(row, default_from),
    )


@cache
def procedures() -> Book[Procedure]:
    """Every procedure by its code, with each version of its facts."""
    data = load("procedures.yaml")
    return Book((_procedure(row, data["effective_from"]) for row in data["procedures"]), key=lambda p: p.code)


@lru_cache(4096)
def procedure(code: str, on: date) -> Procedure | None:
    """The procedure as it stands on that day; None when it is unknown, not yet in force or withdrawn."""
    return procedures().on(code, on)


def family(code: str, on: date) -> str:
    """The family that the code belongs to, `other` for a code that we do not know."""
    known = procedure(code, on)
    return known.family if known else "other"


@cache
def same_day_pairs() -> tuple[SameDay, ...]:
    """The pairs in the order of the file: the first that names two codes decides."""
    data = load("same_day.yaml")
    return tuple(
        SameDay(
            first=frozenset(row["first"]),
            second=frozenset(row["second"]),
            allowed_with_modifier=row["allowed_with_modifier"],
            span=Span.of(row, data["effective_from"]),
        )
        for row in data["pairs"]
    )


def conflict(one: str, other: str, on: date) -> SameDay | None:
    """What speaks against both codes on one day, None when nothing does."""
    return next((pair for pair in same_day_pairs() if pair.span.covers(on) and pair.names(one, other)), None)
