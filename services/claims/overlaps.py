"""A clinician's other sessions at the same time: nobody treats two patients at once, unless they are in a group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from libs.codes.procedures import family
from libs.common.db import Transaction
from services.claims import learn, store, tables
from services.claims.domain import UNSENT, Claim, Status

REASON: Final = "clinician_overlap"
GROUP_SETTING: Final = "HQ"
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Another session of the clinician, and how many minutes of this one it takes."""

    claim: Claim
    minutes: int


def span(detail: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """When the session began and stopped; None where the EHR did not say both."""
    start, stop = detail["service"]["start"], detail["service"]["stop"]
    return (datetime.fromisoformat(start), datetime.fromisoformat(stop)) if start and stop else None


def minutes(detail: Mapping[str, Any]) -> int | None:
    """How long the session lasted, by the clock."""
    found = span(detail)
    return int((found[1] - found[0]).total_seconds() // 60) if found else None


async def of(tx: Transaction, claim: Claim, detail: Mapping[str, Any]) -> list[Overlap]:
    """Every session of the clinician that stands and runs into this one, also over midnight."""
    own = span(detail)
    found: list[Overlap] = []
    for other, of_other in await _beside(tx, claim) if own else []:
        theirs = span(of_other)
        if own is None or theirs is None or (_in_group(claim) and _in_group(other)):
            continue
        shared = int((min(own[1], theirs[1]) - max(own[0], theirs[0])).total_seconds() // 60)
        if shared > 0:
            found.append(Overlap(claim=other, minutes=shared))
    return found


async def hold_both(tx: Transaction, found: Sequence[Overlap]) -> None:
    """The other sessions are looked at again, and held too while they have not been sent."""
    unsent = [one.claim for one in found if one.claim.status in UNSENT and REASON not in one.claim.reasons]
    await learn.scrub_later(tx, [other.id for other in unsent])


async def held(tx: Transaction, claim: Claim) -> list[str]:
    """The clinician's claims around that day which are held because sessions overlap."""
    return [other.id for other, _ in await _beside(tx, claim) if REASON in other.reasons]


async def _beside(tx: Transaction, claim: Claim) -> list[tuple[Claim, Mapping[str, Any]]]:
    """The clinician's other claims that stand, of that day and the days around it, with what the EHR said of them."""
    c = tables.claim.c
    rows = await tx.all(
        sa.select(tables.claim, tables.encounter.c.detail)
        .join(tables.encounter, tables.encounter.c.id == c.encounter_id)
        .where(
            c.provider_npi == claim.provider_npi,
            c.service_date.between(claim.service_date - _A_DAY, claim.service_date + _A_DAY),
            c.encounter_id != claim.encounter_id,
            c.status != Status.VOID.value,
        )
        .order_by(c.id)
    )
    return [(store.claim_of(row), row["detail"]) for row in rows]


def _in_group(claim: Claim) -> bool:
    return any(
        family(line.code, claim.service_date) == "group" or GROUP_SETTING in line.modifiers
        for line in claim.content.lines
    )
