"""What the payers before have decided, as the claim tells it to the next one (2320, 2330A, 2330B, 2430)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from libs import x12
from libs.codes.payers import Payer
from libs.common.db import Transaction
from services.claims import tables
from services.claims.domain import Claim

UNDECIDED, UNBALANCED = "prior_payer_undecided", "prior_payer_unbalanced"
SEQUENCE = {1: "P", 2: "S", 3: "T"}
RELATIONSHIP = {"self": "18", "spouse": "01", "child": "19", "other": "G8"}
Decision = Mapping[str, Any]
"""An `Adjudication` as remittance told it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the payer of one rank has said in all: the last word on each line, and on the claim as a whole."""

    rank: int
    payer_id: str
    claim_number: str
    decided_on: date
    adjustments: tuple[x12.Adjustment, ...]
    remark_codes: tuple[str, ...]
    lines: Mapping[str, Mapping[str, Any]]
    charge_cents: int
    paid_cents: int
    as_a_whole: bool
    """The payer decided on the claim, and said nothing of its lines."""


async def standing(tx: Transaction, claim: Claim) -> list[Decision]:
    """Every decision on the claim that stands, as payers made them."""
    data = await tx.scalar(
        sa.select(tables.posting.c.data)
        .where(tables.posting.c.claim_id == claim.id)
        .order_by(tables.posting.c.sequence.desc(), tables.posting.c.posting_id.desc())
        .limit(1)
    )
    told: list[Decision] = ((data or {}).get("sealed") or {}).get("decisions", [])
    return told


async def decisions(tx: Transaction, claim: Claim) -> list[Decision]:
    """Every decision of an earlier payer that stands, as payers made them."""
    return [one for one in await standing(tx, claim) if one["rank"] < claim.rank]


def said(found: Sequence[Decision], lines: Collection[str]) -> list[Said]:
    """The decisions on these lines by payer, the first payer first."""
    ranks = sorted({one["rank"] for one in found})
    return [_of_rank([one for one in found if one["rank"] == rank], lines) for rank in ranks]


def _of_rank(found: Sequence[Decision], wanted: Collection[str]) -> Said:
    last = found[-1]
    lines = {line["line_id"]: line for one in found for line in one["lines"] if line["line_id"] in wanted}
    claim_level = [adjustment for one in found for adjustment in one["adjustments"]]
    taken = sum(adjustment["amount_cents"] for adjustment in claim_level)
    as_a_whole = not any(one["lines"] for one in found)
    by_line = sum(line["paid_cents"] for line in lines.values()) - taken
    return Said(
        rank=last["rank"],
        payer_id=last["payer_id"],
        claim_number=last["payer_control_number"],
        decided_on=date.fromisoformat(last["decided_on"]),
        adjustments=_adjustments(claim_level),
        remark_codes=tuple(dict.fromkeys(code for one in found for code in one["remark_codes"]))[:5],
        lines=lines,
        charge_cents=last["charge_cents"],
        as_a_whole=as_a_whole,
        paid_cents=last["paid_cents"] if as_a_whole else by_line,
    )


def _adjustments(found: Sequence[Mapping[str, Any]]) -> tuple[x12.Adjustment, ...]:
    return tuple(x12.Adjustment(group=a["group"], reason=a["reason"], amount_cents=a["amount_cents"]) for a in found)


def lacks(claim: Claim, found: Sequence[Decision]) -> str | None:
    """Why the claim cannot go to the next payer yet; None where every charge is accounted for by each one before."""
    if not found:
        return UNDECIDED
    for one in said(found, [line.id for line in claim.content.sent_lines]):
        if one.as_a_whole:
            balances = one.charge_cents == claim.charge_cents == one.paid_cents + _total(one.adjustments)
        elif any(line.id not in one.lines for line in claim.content.sent_lines):
            return UNDECIDED
        else:
            balances = all(
                (line.charge_cents or 0) == decided["paid_cents"] + _total(_adjustments(decided["adjustments"]))
                for line in claim.content.sent_lines
                for decided in (one.lines[line.id],)
            )
        if not balances:
            return UNBALANCED
    return None


def _total(found: Sequence[x12.Adjustment]) -> int:
    return sum(adjustment.amount_cents for adjustment in found)


def _patients(found: Sequence[x12.Adjustment]) -> int:
    """What the payer left to the patient."""
    return _total([adjustment for adjustment in found if adjustment.group == "PR"])


def other_payer(one: Said, payer: Payer, subscriber: x12.Party, identity: Mapping[str, Any]) -> x12.OtherPayer:
    """The payer's loops: what it paid, and at claim level only what stood there in its 835."""
    return x12.OtherPayer(
        sequence=SEQUENCE.get(one.rank, "U"),
        subscriber=subscriber,
        payer=x12.Party(name=payer.name.upper(), id_qualifier="PI", id=payer.edi_id),
        relationship=RELATIONSHIP.get(identity.get("relationship") or "self", "G8"),
        group_number=identity.get("group_number") or "",
        filing_code=payer.filing_code,
        paid_cents=one.paid_cents,
        remaining_cents=(_patients(one.adjustments) or None) if one.as_a_whole else None,
        adjustments=one.adjustments,
        remark_codes=one.remark_codes,
        claim_number=one.claim_number,
        adjudicated=one.decided_on if one.as_a_whole else None,
    )


def of_line(one: Said, payer: Payer, line_id: str, units: int) -> x12.LineAdjudication | None:
    """What the payer decided on the line; None where it decided on the claim as a whole."""
    decided = one.lines.get(line_id)
    if decided is None:
        return None
    adjustments = _adjustments(decided["adjustments"])
    return x12.LineAdjudication(
        payer_id=payer.edi_id,
        paid_cents=decided["paid_cents"],
        procedure=decided["procedure"],
        modifiers=tuple(decided["modifiers"]),
        units=Decimal(units),
        adjustments=adjustments,
        adjudicated=one.decided_on,
        remaining_cents=_patients(adjustments) or None,
    )
