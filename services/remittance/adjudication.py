"""What payers have decided on a claim, as the next payer must be told it: each amount at the level where it stood."""

from collections.abc import Iterable, Mapping, Sequence

from libs.common.db import Transaction
from libs.common.events.remittance import AdjudicatedLine, AdjudicatedReason, Adjudication, Adjudications
from services.remittance.domain.adjustments import Adjustment
from services.remittance.domain.era import EraLine
from services.remittance.match import match_lines
from services.remittance.store import claims, decisions
from services.remittance.store.claims import SentLine
from services.remittance.store.decisions import StandingDecision


async def standing(tx: Transaction, claim_id: str) -> Adjudications:
    """Every decision on the claim that nobody has taken back, as payers made them."""
    sent: dict[str, list[SentLine]] = {}
    found = []
    for one in await decisions.standing(tx, claim_id):
        if one.submission_id not in sent:
            sent[one.submission_id] = await claims.sent_lines(tx, one.submission_id)
        found.append(_adjudicated(one, match_lines(sent[one.submission_id], one.claim.lines) or {}))
    return Adjudications(decisions=found)


def _adjudicated(one: StandingDecision, said: Mapping[str, Sequence[EraLine]]) -> Adjudication:
    claim = one.claim
    return Adjudication(
        posting_id=one.posting_id,
        payer_id=one.payer_id,
        rank=one.rank,
        payer_control_number=claim.icn,
        decided_on=claim.decided_on or one.paid_on,
        charge_cents=claim.charge_cents,
        paid_cents=claim.paid_cents,
        adjustments=_reasons(claim.adjustments),
        remark_codes=list(claim.remark_codes),
        lines=[_line(line_id, parts) for line_id, parts in said.items()],
    )


def _line(line_id: str, parts: Sequence[EraLine]) -> AdjudicatedLine:
    """Payers may split a line in two; what they said of its parts is added up."""
    return AdjudicatedLine(
        line_id=line_id,
        procedure=parts[0].procedure,
        modifiers=list(parts[0].modifiers),
        charge_cents=sum(part.charge_cents for part in parts),
        paid_cents=sum(part.paid_cents for part in parts),
        adjustments=_reasons(adjustment for part in parts for adjustment in part.adjustments),
    )


def _reasons(found: Iterable[Adjustment]) -> list[AdjudicatedReason]:
    return [AdjudicatedReason(group=a.group, reason=a.reason, amount_cents=a.amount_cents) for a in found]
