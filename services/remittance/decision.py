"""A payer's decision on a claim: on each of our lines, in the ledger, and told."""

from dataclasses import dataclass

from libs.common import telemetry
from libs.common.db import Transaction
from libs.common.events import PaymentPosted
from libs.common.events.remittance import Buckets as EventBuckets
from libs.common.events.remittance import PostedLine
from libs.common.ids import new_id
from services.remittance import adjudication, denials, ledger, match
from services.remittance.domain.decide import LineDecision, OurLine, decide
from services.remittance.domain.era import RANK
from services.remittance.domain.ledger import Buckets
from services.remittance.ledger import Restated
from services.remittance.match import Match
from services.remittance.store import cases, claims, remittances
from services.remittance.store.claims import Receivable
from services.remittance.store.remittances import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What is to be told of a posting beside what the ledger says."""

    posting_id: str
    submission_id: str
    payer_id: str
    rank: int
    entry: str
    outcome: str


async def post_payment(tx: Transaction, found: Answer, named: Match | None) -> str | None:
    """The decision is in the ledger, told, and its denials raised; else the reason why it waits."""
    matched = named or await match.find(tx, found.claim, found.payer_id)
    if matched is None:
        return "unmatched"
    claim = await claims.lock(tx, matched.submission.claim_id)
    assert claim is not None, "a submission has a receivable"
    if named is None and not found.may_be_about(claim.practice_id):
        return "unmatched"
    with telemetry.share("remittance.payment", claim.traceparent):
        return await _decided(tx, found, matched, claim)


async def _decided(tx: Transaction, found: Answer, matched: Match, claim: Receivable) -> str | None:
    decided = await lines_decided(tx, found, matched)
    if isinstance(decided, str):
        return decided
    posted = await _store(tx, found, matched, claim, decided)
    await remittances.settle(
        tx, found.id, status="posted", reason=None, claim_id=claim.claim_id, submission_id=matched.submission.id,
        practice_id=claim.practice_id, match=matched.method,
    )  # fmt: skip
    restated = await ledger.restate(tx, claim, "payment", era_id=found.era_id, posting_id=posted.posting_id)
    outcome = outcome_of(posted.posting_id, restated)
    await remittances.set_outcome(tx, posted.posting_id, outcome)
    await tell_posted(tx, found, claim, restated, posted, outcome)
    await denials.raise_new(tx, claim, restated)
    return None


async def lines_decided(tx: Transaction, found: Answer, matched: Match) -> list[LineDecision] | str:
    """What the payer decided about each of our lines, or the reason why that is not certain."""
    sent = await claims.sent_lines(tx, matched.submission.id)
    said = match.match_lines(sent, found.claim.lines)
    if said is None:
        return "lines_unmatched"
    if not found.claim.lines and sum(line.charge_cents for line in sent) != found.claim.charge_cents:
        return "charge_differs"
    ours = [
        OurLine(
            line_id=line.line_id,
            charge_cents=line.charge_cents,
            service_date=line.service_date,
            said=said.get(line.line_id, ()),
        )
        for line in sent
        if line.line_id in said or not found.claim.lines
    ]
    payer_id = found.payer_id or matched.submission.payer_id
    decided = decide(found.claim, ours, payer_id)
    if any(line.classes.unknown for line in decided):
        decided = decide(found.claim, ours, payer_id, await cases.readings(tx))
    return "negative_payment" if any(line.paid_cents < 0 for line in decided) else decided


async def _store(
    tx: Transaction, found: Answer, matched: Match, claim: Receivable, decided: list[LineDecision]
) -> Posted:
    sent = matched.submission
    posted = Posted(
        posting_id=new_id("pst"),
        submission_id=sent.id,
        payer_id=found.payer_id or sent.payer_id,
        rank=max(sent.rank, RANK.get(found.claim.status, 1)),
        entry="payment",
        outcome="",
    )
    await remittances.add_posting(
        tx,
        {
            "id": posted.posting_id,
            "era_id": found.era_id,
            "era_claim_id": found.id,
            "practice_id": claim.practice_id,
            "claim_id": claim.claim_id,
            "submission_id": sent.id,
            "payer_id": posted.payer_id,
            "rank": posted.rank,
            "attempt": sent.attempt,
            "entry": posted.entry,
            "outcome": "",
            "clp02": found.claim.status,
            "icn": found.claim.icn,
            "paid_cents": found.claim.paid_cents,
            "paid_on": found.paid_on,
            "forwarded": found.claim.is_forwarded,
            "first_pass": not await remittances.has_decided(tx, claim.claim_id, posted.payer_id),
            "ordering": found.ordering,
        },
        [line_row(line) for line in decided],
    )
    return posted


def line_row(line: LineDecision, sign: int = 1) -> dict[str, object]:
    """A decision on a line as it is stored; a reversal's with the amounts turned."""
    classes = line.classes
    return {
        "line_id": line.line_id,
        "charge_cents": sign * line.charge_cents,
        "paid_cents": sign * line.paid_cents,
        "contractual_cents": sign * classes.contractual,
        "patient_cents": sign * classes.patient,
        "denied_cents": sign * classes.denied,
        "withheld_cents": sign * classes.withheld,
        "explained_cents": sign * classes.explained,
        "unknown_cents": sign * classes.unknown,
        "adjustments": [[a.group, a.reason, sign * a.amount_cents] for a in line.adjustments],
        "remark_codes": list(line.remark_codes),
    }


def outcome_of(posting_id: str, restated: Restated) -> str:
    """What the decision means for the claim: paid, partially_paid, denied, patient_responsibility.

    What only waits for the next payer is no longer this payer's to pay.
    """
    shares = [s.shares[posting_id] for s in restated.standings.values() if posting_id in s.shares]
    paid, denied = sum(share.paid for share in shares), sum(share.denied for share in shares)
    patient = sum(share.patient for share in shares)
    if denied:
        return "partially_paid" if paid or patient else "denied"
    if paid or not patient:
        undecided = restated.total.in_flight - restated.awaits_next
        return "partially_paid" if undecided or restated.total.denied_open else "paid"
    return "patient_responsibility"


async def tell_posted(
    tx: Transaction, found: Answer, claim: Receivable, restated: Restated, posted: Posted, outcome: str
) -> None:
    """`payment.posted`: what this entry moved, and how the claim stands after it."""
    lines = [_moved(line_id, restated.before[line_id], after) for line_id, after in restated.after.items()]
    lines = [line for line in lines if any(value for name, value in line if name != "line_id")]
    event = PaymentPosted(
        claim_id=claim.claim_id,
        posting_id=posted.posting_id,
        era_id=found.era_id,
        practice_id=claim.practice_id,
        payer_id=posted.payer_id,
        submission_id=posted.submission_id,
        rank=posted.rank,
        entry=posted.entry,
        outcome=outcome,
        claim_status=found.claim.status,
        payer_control_number=found.claim.icn[:50] or None,
        forwarded=found.claim.is_forwarded,
        paid_cents=sum(line.paid_cents for line in lines),
        contractual_cents=sum(line.contractual_cents for line in lines),
        patient_cents=sum(line.patient_cents for line in lines),
        denied_cents=sum(line.denied_cents for line in lines),
        paid_on=found.paid_on,
        lines=lines,
        buckets=EventBuckets(**restated.total.cents()),
        awaits_next_cents=restated.awaits_next,
        sealed=await adjudication.standing(tx, claim.claim_id),
    )
    await ledger.tell(tx, claim, event)


def _moved(line_id: str, before: Buckets, after: Buckets) -> PostedLine:
    return PostedLine(
        line_id=line_id,
        paid_cents=after.payer_paid - before.payer_paid,
        contractual_cents=after.contractual - before.contractual,
        patient_cents=after.responsibility - before.responsibility,
        denied_cents=after.denied_open - before.denied_open,
        withheld_cents=after.withheld - before.withheld,
    )
