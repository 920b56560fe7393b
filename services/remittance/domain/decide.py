"""A payer's answer on a claim as a decision on each of our lines; claim-level money is spread over them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.remittance.domain.adjustments import Adjustment, Classified, Reading, classified, spread
from services.remittance.domain.era import EraClaim, EraLine


@dataclass(frozen=True, slots=True, kw_only=True)
class OurLine:
    """A line as we sent it, with what the payer said about it; nothing said where the claim has no lines."""

    line_id: str
    charge_cents: int
    service_date: date
    said: tuple[EraLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDecision:
    """What the payer decided about one of our lines."""

    line_id: str
    charge_cents: int
    paid_cents: int
    adjustments: tuple[Adjustment, ...]
    remark_codes: tuple[str, ...]
    classes: Classified


def decide(
    claim: EraClaim, ours: Sequence[OurLine], payer_id: str | None, readings: Sequence[Reading] = ()
) -> list[LineDecision]:
    """One decision for each line; their payments and adjustments sum to the claim's."""
    drafts = [_said(line) for line in ours] if claim.lines else [_unsaid(line) for line in ours]
    for adjustment in claim.adjustments:
        capacities = [max(draft.paid_cents, 0) for draft in drafts]
        parts = _spread(adjustment.amount_cents, capacities)
        drafts = [_adjusted(draft, adjustment, part) for draft, part in zip(drafts, parts, strict=True)]
    return [
        replace(
            draft,
            classes=classified(draft.adjustments, payer_id=payer_id, on=line.service_date, readings=readings),
            remark_codes=tuple(dict.fromkeys((*draft.remark_codes, *claim.remark_codes))),
        )
        for draft, line in zip(drafts, ours, strict=True)
    ]


def _said(line: OurLine) -> LineDecision:
    """Payers may split a line in two; what they say of its parts is added up."""
    return LineDecision(
        line_id=line.line_id,
        charge_cents=sum(part.charge_cents for part in line.said),
        paid_cents=sum(part.paid_cents for part in line.said),
        adjustments=tuple(adjustment for part in line.said for adjustment in part.adjustments),
        remark_codes=tuple(code for part in line.said for code in part.remark_codes),
        classes=Classified(),
    )


def _unsaid(line: OurLine) -> LineDecision:
    """Before adjustments the whole charge counts as paid; the claim's adjustments then take from it."""
    return LineDecision(
        line_id=line.line_id,
        charge_cents=line.charge_cents,
        paid_cents=line.charge_cents,
        adjustments=(),
        remark_codes=(),
        classes=Classified(),
    )


def _spread(amount: int, capacities: list[int]) -> list[int]:
    """A reversal's or a raise's negative amount is spread like a positive one, over what the lines have."""
    if amount < 0 and -amount <= sum(capacities):
        return [-part for part in spread(-amount, capacities)]
    return spread(amount, capacities)


def _adjusted(draft: LineDecision, adjustment: Adjustment, part: int) -> LineDecision:
    if not part:
        return draft
    return replace(
        draft,
        paid_cents=draft.paid_cents - part,
        adjustments=(*draft.adjustments, replace(adjustment, amount_cents=part)),
    )
