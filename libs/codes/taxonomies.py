"""Kinds of clinicians by taxonomy: their level, what they may prescribe, and since when Medicare takes them."""

from dataclasses import dataclass
from datetime import date
from functools import cache

from libs.codes.dated import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    code: str
    meaning: str
    level: str
    """physician, nurse_practitioner, psychologist, master, bachelor, technician, trainee, organization, …"""
    prescriber: bool
    modifiers: tuple[str, ...]
    """The modifiers by which payers that ask for it are told the level."""
    medicare_from: date | None

    def medicare_enrolls(self, on: date) -> bool:
        return self.medicare_from is not None and self.medicare_from <= on


@cache
def taxonomies() -> dict[str, Taxonomy]:
    return {
        row["code"]: Taxonomy(
            code=row["code"],
            meaning=row["meaning"],
            level=row["level"],
            prescriber=row.get("prescriber", False),
            modifiers=tuple(row.get("modifiers", ())),
            medicare_from=row.get("medicare_from"),
        )
        for row in load("taxonomies.yaml")["taxonomies"]
    }


def taxonomy(code: str) -> Taxonomy | None:
    """The kind of clinician or organisation, None when we do not know the code."""
    return taxonomies().get(code)
