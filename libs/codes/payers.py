"""The payers: ids, EDI ids, filing codes, clocks, and what each wants of every claim."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from libs.codes.dated import Book, Span, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """One payer as it stands on some days."""

    id: str
    name: str
    edi_id: str
    filing_code: str
    """SBR09."""
    kind: str
    """commercial, medicaid_managed or medicare."""
    products: tuple[str, ...]
    carves_out_to: str | None
    """The payer that administers behavioral health for this one; claims go there."""
    timely_filing_days: int
    corrected_days: int
    appeal_days: int
    takes_replacement: bool
    """Whether frequency 7 and 8 are taken; a payer that refuses them gets a new original."""
    telehealth_modifier: str | None
    """What live video must carry; None where the place of service says it."""
    eap_modifier: str | None
    taxonomy: bool
    """Whether billing and rendering taxonomy must be sent."""
    authorization_codes: tuple[str, ...]
    sequestration: Decimal
    rounding: str
    """How minutes become 15-minute units: eight_minute or full_unit."""
    silence_business_days: int
    span: Span
    source: str


def _payer(row: dict[str, Any]) -> Payer:
    return Payer(
        id=row["id"],
        name=row["name"],
        edi_id=row["edi_id"],
        filing_code=row["filing_code"],
        kind=row["kind"],
        products=tuple(row["products"]),
        carves_out_to=row.get("carves_out_to"),
        timely_filing_days=row["timely_filing_days"],
        corrected_days=row["corrected_days"],
        appeal_days=row["appeal_days"],
        takes_replacement=row["takes_replacement"],
        telehealth_modifier=row["telehealth_modifier"],
        eap_modifier=row.get("eap_modifier"),
        taxonomy=row["taxonomy"],
        authorization_codes=tuple(row.get("authorization_codes", ())),
        sequestration=Decimal(row.get("sequestration", "0")),
        rounding=row["rounding"],
        silence_business_days=row["silence_business_days"],
        span=Span.of(row),
        source=row["source"],
    )


@cache
def payers() -> Book[Payer]:
    """Every payer by id, with each version of its facts."""
    return Book((_payer(row) for row in load("payers.yaml")["payers"]), key=lambda p: p.id)


def payer(payer_id: str, on: date) -> Payer:
    """The payer as it stands on that day; KeyError when there is no such payer."""
    found = payers().on(payer_id, on)
    if found is None:
        raise KeyError(payer_id)
    return found


def knows(payer_id: str) -> bool:
    return payer_id in payers()


@cache
def by_edi_id(edi_id: str) -> Payer | None:
    """The latest facts of the payer with that EDI id."""
    return next((versions[-1] for versions in payers().values() if versions[-1].edi_id == edi_id), None)
