"""Modifiers: what each says, and which exclude each other on one line."""

from dataclasses import dataclass
from datetime import date
from functools import cache

from libs.codes.dated import Book, Span, load

ALONE = frozenset({"telehealth", "distinct", "level", "visit", "repeat"})
"""Kinds of which a line carries one at most."""
MOST_ON_A_LINE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Modifier:
    code: str
    meaning: str
    kind: str
    span: Span


@cache
def modifiers() -> Book[Modifier]:
    data = load("modifiers.yaml")
    return Book(
        (
            Modifier(
                code=row["code"],
                meaning=row["meaning"],
                kind=row["kind"],
                span=Span.of(row, data["effective_from"]),
            )
            for row in data["modifiers"]
        ),
        key=lambda m: m.code,
    )


def modifier(code: str, on: date) -> Modifier | None:
    """The modifier as it stands on that day, None when it does not exist then."""
    return modifiers().on(code, on)


def clashes(codes: tuple[str, ...], on: date) -> tuple[str, ...]:
    """The modifiers of a line of which only one may stand there, in their order; empty when all agree."""
    by_kind: dict[str, list[str]] = {}
    for code in codes:
        known = modifier(code, on)
        if known is not None and known.kind in ALONE:
            by_kind.setdefault(known.kind, []).append(code)
    return tuple(code for found in by_kind.values() if len(found) > 1 for code in found)
