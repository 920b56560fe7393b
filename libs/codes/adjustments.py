"""Adjustment reason codes (CARC): what each says, and how the money that it names is accounted for."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from libs.codes.dated import Book, Span, load

GROUPS = ("CO", "OA", "PI", "PR")
"""The group codes of a 5010 835; CR belongs to 4010 and is unknown here."""


class Adjusts(StrEnum):
    """What an adjustment does with the money; `unknown` waits for a person."""

    CONTRACTUAL = "contractual"
    PATIENT = "patient"
    DENIAL = "denial"
    PRIOR_PAYER = "prior_payer"
    WITHHOLD = "withhold"
    SEQUESTRATION = "sequestration"
    INFORMATION = "information"
    UNKNOWN = "unknown"


class Fix(StrEnum):
    """How a refusal for this reason is usually answered."""

    CORRECT = "correct"
    APPEAL = "appeal"
    NONE = "none"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One CARC in our own words."""

    code: str
    meaning: str
    category: str
    fix: Fix
    action: str
    adjusts: dict[str, Adjusts]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerReading:
    """How one payer uses a code otherwise than the rest."""

    payer_id: str
    group: str
    code: str
    adjusts: Adjusts
    span: Span


def _reason(row: dict[str, Any], default_from: date) -> Reason:
    said = row["as"]
    classes = dict.fromkeys(GROUPS, said) if isinstance(said, str) else said
    return Reason(
        code=row["code"],
        meaning=row["meaning"],
        category=row["category"],
        fix=Fix(row["fix"]),
        action=row["action"],
        adjusts={group: Adjusts(word) for group, word in classes.items()},
        span=Span.of(row, default_from),
    )


@cache
def reasons() -> Book[Reason]:
    """Every CARC that we know, by its code."""
    data = load("carcs.yaml")
    return Book((_reason(row, data["effective_from"]) for row in data["codes"]), key=lambda r: r.code)


@cache
def payer_readings() -> tuple[PayerReading, ...]:
    """The exceptions of single payers, in the order of the file."""
    return tuple(
        PayerReading(
            payer_id=row["payer_id"],
            group=row["group"],
            code=row["code"],
            adjusts=Adjusts(row["as"]),
            span=Span.of(row),
        )
        for row in load("carcs.yaml").get("payer_readings", ())
    )


def reason(code: str, on: date) -> Reason | None:
    """What the code says on that day; None for a code that we do not know."""
    return reasons().on(code.lstrip("0") or code, on)


def classify(group: str, carc: str, payer_id: str | None, on: date) -> Adjusts:
    """How an adjustment is accounted for; a payer's own reading goes first, what nobody has classified is unknown.

    PR with 26, 27, 31, 96, 119 or 204 is a denial until somebody decides, not the patient's share.
    """
    code = carc.lstrip("0") or carc
    for reading in payer_readings():
        if (reading.payer_id, reading.group, reading.code) == (payer_id, group, code) and reading.span.covers(on):
            return reading.adjusts
    known = reason(code, on)
    return known.adjusts.get(group, Adjusts.UNKNOWN) if known else Adjusts.UNKNOWN
