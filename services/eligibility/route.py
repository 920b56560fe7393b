"""Carve-outs: where a plan leaves mental health to an administrator, that payer is asked, and billed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from libs.codes import payers
from libs.common.db import Transaction
from services.eligibility import store
from services.eligibility import tables as t
from services.eligibility.benefits import Benefits

FAMILY: Final = "mental_health"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who administers mental health; `payer_id` None: named, but not a payer that we know."""

    payer_id: str | None
    evidence: str
    phone: str | None = None


def administrator(payer_id: str, benefits: Benefits, on: date) -> Route | None:
    """The administrator that the answer names, or that the payer's published table names; None: the plan itself."""
    published = payers.payer(payer_id, on).carves_out_to
    if benefits.administrator is None:
        return Route(payer_id=published, evidence="payer table") if published else None
    named = payers.by_edi_id(benefits.administrator.edi_id)
    if named is not None and named.id == payer_id:
        return None
    return Route(
        payer_id=named.id if named else published,
        evidence=benefits.administrator.evidence,
        phone=benefits.administrator.phone,
    )


async def keep(tx: Transaction, check: Mapping[str, Any], found: Route) -> None:
    """The coverage's route is on record, with the check that showed it."""
    await store.put(tx, t.benefit_route, {
        "coverage_id": check["coverage_id"], "family": FAMILY, "practice_id": check["practice_id"],
        "payer_id": check["payer_id"], "administrator_id": found.payer_id, "evidence": found.evidence,
        "phone": found.phone, "check_id": check["id"], "valid_from": check["service_date"],
    })  # fmt: skip
