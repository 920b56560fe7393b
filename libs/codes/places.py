"""Places of service: where, and at which rate."""

from dataclasses import dataclass
from datetime import date
from functools import cache

from libs.codes.dated import Book, Span, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    code: str
    meaning: str
    facility: bool
    """Whether Medicare pays the facility rate."""
    telehealth: bool
    span: Span


@cache
def places() -> Book[Place]:
    data = load("places.yaml")
    return Book(
        (
            Place(
                code=row["code"],
                meaning=row["meaning"],
                facility=row["facility"],
                telehealth=row.get("telehealth", False),
                span=Span.of(row, data["effective_from"]),
            )
            for row in data["places"]
        ),
        key=lambda p: p.code,
    )


def place(code: str, on: date) -> Place | None:
    """The place as it stands on that day, None when the code does not exist then."""
    return places().on(code, on)
