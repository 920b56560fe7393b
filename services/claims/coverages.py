"""Whose turn it is after a payer has decided: the patient's coverages of the day, in their order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from libs.common.db import Transaction
from services.claims import store
from services.claims.domain import Claim

ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """A payer's turn; `identity` is the subscriber as the claim must name them to it."""

    rank: int
    payer_id: str
    identity: Mapping[str, Any]


async def of_claim(tx: Transaction, claim: Claim) -> list[Coverage]:
    """The patient's coverages on the date of service, first payer first.

    As eligibility has told them; before it has told any, as the EHR named them with the session.
    """
    told = await store.known_by(tx, "coverage", claim.patient_id)
    if told:
        found = [_told(one) for one in told if one["status"] == ACTIVE and _covers(one["sealed"], claim.service_date)]
    else:
        row = await store.encounter(tx, claim.encounter_id)
        found = [_named(one) for one in row["detail"]["coverages"]]
    return sorted(found, key=lambda one: one.rank)


def _told(one: Mapping[str, Any]) -> Coverage:
    return Coverage(rank=one["rank"], payer_id=one.get("bill_payer_id") or one["payer_id"], identity=one["sealed"])


def _named(one: Mapping[str, Any]) -> Coverage:
    subscriber = one.get("subscriber") or {}
    identity = {name: one.get(name) for name in ("member_id", "group_number", "relationship")}
    identity |= {f"subscriber_{name}": subscriber.get(name) for name in ("first_name", "last_name")}
    return Coverage(rank=one["rank"], payer_id=one["payer"]["id"], identity=identity)


def _covers(identity: Mapping[str, Any], on: date) -> bool:
    start, end = identity.get("effective_from"), identity.get("effective_to")
    return (start is None or date.fromisoformat(start) <= on) and (end is None or on <= date.fromisoformat(end))


async def after(tx: Transaction, claim: Claim, rank: int) -> Coverage | None:
    """Who pays after the payer of that rank."""
    return next((one for one in await of_claim(tx, claim) if one.rank > rank), None)


async def at(tx: Transaction, claim: Claim, rank: int) -> Coverage | None:
    """Who pays in that rank."""
    return next((one for one in await of_claim(tx, claim) if one.rank == rank), None)


async def identity(tx: Transaction, claim: Claim, rank: int) -> Mapping[str, Any] | None:
    """The subscriber as the payer of that rank knows them: the first by its own answer, others by the card."""
    answer = await store.known(tx, "eligibility", claim.encounter_id) if rank == 1 else None
    if answer is not None and answer["sealed"] is not None:
        found: Mapping[str, Any] = answer["sealed"]
        return found
    coverage = await at(tx, claim, rank) if rank > 1 else None
    return coverage.identity if coverage else None
