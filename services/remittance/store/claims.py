"""Claims as they were sent, and what payers decided on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common import upserts
from libs.common.db import Row, Transaction
from services.remittance import tables as t
from services.remittance.domain.line import Decision
from services.remittance.store import withheld
from services.remittance.store.ledger import PatientAccount, lock_account


@dataclass(slots=True, kw_only=True)
class Receivable:
    """A claim that has been sent, locked with its patient's account until the transaction ends."""

    claim_id: str
    practice_id: str
    patient_id: str
    encounter_id: str
    payer_id: str
    first_submitted_on: date
    version: int
    account: PatientAccount
    traceparent: str | None
    """The trace in which its session came in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    id: str
    claim_id: str
    payer_id: str
    rank: int
    attempt: int
    frequency: str
    pcn: str
    charge_cents: int
    submitted_on: date
    next_payer: bool
    """Another payer will be asked for what this one leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentLine:
    """A line as it was sent with one submission."""

    line_id: str
    position: int
    control: str
    procedure: str
    modifiers: tuple[str, ...]
    service_date: date
    charge_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that says where a claim's lines stand: their charges, and the decisions on them."""

    billed: dict[str, int]
    decisions: dict[str, list[Decision]]
    returned: dict[str, int]
    """What payers have paid since of what they had withheld."""
    unclassified: bool
    """A decision that still counts has an adjustment that nobody has classified."""


async def add_receivable(tx: Transaction, row: dict[str, Any]) -> None:
    await tx.execute(
        insert(t.receivable).values(tenant_id=tx.tenant, version=0, created_at=tx.now, **row).on_conflict_do_nothing()
    )


async def follow_submissions(tx: Transaction, claim_id: str) -> bool:
    """The receivable is the payer's that the claim went to last, and as old as its first submission; True if news."""
    done = await tx.execute(_FOLLOW, {"tenant": tx.tenant, "claim": claim_id})
    return bool(done.rowcount)


_FOLLOW = sa.text("""
    update receivable r set payer_id = n.payer_id, first_submitted_on = n.first
    from (
        select (array_agg(payer_id order by (rank = 1) desc, attempt desc))[1] as payer_id, min(submitted_on) as first
        from submission where tenant_id = :tenant and claim_id = :claim
    ) n
    where r.tenant_id = :tenant and r.claim_id = :claim
        and (r.payer_id, r.first_submitted_on) is distinct from (n.payer_id, n.first)
""")


async def patient_of(tx: Transaction, claim_id: str) -> tuple[str, str] | None:
    """The patient and practice of a claim that has been sent."""
    row = await tx.first(
        sa.select(t.receivable.c.patient_id, t.receivable.c.practice_id).where(
            t.receivable.c.tenant_id == tx.tenant, t.receivable.c.claim_id == claim_id
        )
    )
    return None if row is None else (row["patient_id"], row["practice_id"])


async def lock(tx: Transaction, claim_id: str) -> Receivable | None:
    """The claim, once nobody else can move it or its patient's money; None where it has not been sent.

    The account is locked before the claim, always, so that money which moves between a patient's claims locks all of
    them in one order.
    """
    owner = await patient_of(tx, claim_id)
    if owner is None:
        return None
    account = await lock_account(tx, *owner)
    return await under(tx, claim_id, account)


async def under(tx: Transaction, claim_id: str, account: PatientAccount) -> Receivable:
    """The claim of a patient whose account is locked already."""
    row = await tx.one(
        sa.select(t.receivable)
        .where(t.receivable.c.tenant_id == tx.tenant, t.receivable.c.claim_id == claim_id)
        .with_for_update()
    )
    return Receivable(
        claim_id=claim_id,
        practice_id=row["practice_id"],
        patient_id=row["patient_id"],
        encounter_id=row["encounter_id"],
        payer_id=row["payer_id"],
        first_submitted_on=row["first_submitted_on"],
        version=row["version"],
        account=account,
        traceparent=row["traceparent"],
    )


async def save_version(tx: Transaction, claim_id: str, version: int) -> None:
    await tx.execute(
        t.receivable.update()
        .where(t.receivable.c.tenant_id == tx.tenant, t.receivable.c.claim_id == claim_id)
        .values(version=version)
    )


async def add_submission(tx: Transaction, row: dict[str, Any], lines: Sequence[dict[str, Any]]) -> bool:
    """The submission is known; False if it was before."""
    new = insert(t.submission).values(tenant_id=tx.tenant, **row)
    done = await tx.execute(new.on_conflict_do_nothing(index_elements=["tenant_id", "id"]))
    if done.rowcount == 0:
        return False
    await tx.execute(
        t.submission_line.insert(),
        [
            {
                "tenant_id": tx.tenant,
                "submission_id": row["id"],
                "practice_id": row["practice_id"],
                **line,
            }
            for line in lines
        ],
    )
    return True


def _submission(row: Row) -> Submission:
    return Submission(**{name: row[name] for name in Submission.__dataclass_fields__})


async def submission(tx: Transaction, submission_id: str) -> Submission:
    return _submission(
        await tx.one(
            sa.select(t.submission).where(t.submission.c.tenant_id == tx.tenant, t.submission.c.id == submission_id)
        )
    )


async def practice_of(tx: Transaction, claim_id: str) -> str | None:
    """Whose claim it is; None where nothing of it was ever billed."""
    found = sa.select(t.receivable.c.practice_id)
    found = found.where(t.receivable.c.tenant_id == tx.tenant, t.receivable.c.claim_id == claim_id)
    practice_id: str | None = await tx.scalar(found)
    return practice_id


async def submissions_of(tx: Transaction, claim_id: str) -> list[Submission]:
    rows = await tx.all(
        sa.select(t.submission)
        .where(t.submission.c.tenant_id == tx.tenant, t.submission.c.claim_id == claim_id)
        .order_by(t.submission.c.attempt)
    )
    return [_submission(row) for row in rows]


async def submissions_by_pcn(tx: Transaction, pcn_key: str) -> list[Submission]:
    rows = await tx.all(
        sa.select(t.submission).where(t.submission.c.tenant_id == tx.tenant, t.submission.c.pcn_key == pcn_key)
    )
    return [_submission(row) for row in rows]


async def submissions_by_member(
    tx: Transaction, *, member_key: str, charge_cents: int, service_date: date
) -> list[Submission]:
    """What was sent for that member on that date at that charge."""
    on_date = sa.exists().where(
        t.submission_line.c.tenant_id == t.submission.c.tenant_id,
        t.submission_line.c.submission_id == t.submission.c.id,
        t.submission_line.c.service_date == service_date,
    )
    rows = await tx.all(
        sa.select(t.submission).where(
            t.submission.c.tenant_id == tx.tenant,
            t.submission.c.member_key == member_key,
            t.submission.c.charge_cents == charge_cents,
            on_date,
        )
    )
    return [_submission(row) for row in rows]


async def sent_lines(tx: Transaction, submission_id: str) -> list[SentLine]:
    rows = await tx.all(
        sa.select(t.submission_line)
        .where(t.submission_line.c.tenant_id == tx.tenant, t.submission_line.c.submission_id == submission_id)
        .order_by(t.submission_line.c.position)
    )
    return [
        SentLine(
            line_id=row["line_id"],
            position=row["position"],
            control=row["control"],
            procedure=row["procedure"],
            modifiers=tuple(row["modifiers"]),
            service_date=row["service_date"],
            charge_cents=row["charge_cents"],
        )
        for row in rows
    ]


async def save_claim_state(
    tx: Transaction, *, claim_id: str, practice_id: str, status: str, rank: int, sequence: int
) -> bool:
    """The claim's status and whose turn it is are known, if this is newer than what was known."""
    values = {
        "claim_id": claim_id,
        "practice_id": practice_id,
        "status": status,
        "rank": rank,
        "sequence": sequence,
    }
    return await upserts.put(tx, t.claim_state, ("tenant_id", "claim_id"), values, newer="sequence")


async def history(tx: Transaction, claim_id: str) -> History:
    """The claim's charges and live decisions, as of now in this transaction."""
    sent = await submissions_of(tx, claim_id)
    state = await tx.first(
        sa.select(t.claim_state.c.status, t.claim_state.c.rank).where(
            t.claim_state.c.tenant_id == tx.tenant, t.claim_state.c.claim_id == claim_id
        )
    )
    status, turn = (state["status"], state["rank"]) if state else (None, 1)
    rows = await tx.all(_DECISIONS, {"tenant": tx.tenant, "claim": claim_id})
    decisions: dict[str, list[Decision]] = {}
    for row in rows:
        answered = any(one["line_id"] == row["line_id"] and one["rank"] > row["rank"] for one in rows)
        awaits = status != "patient_due" and not answered and (turn > row["rank"] or _goes_on(row, sent))
        decisions.setdefault(row["line_id"], []).append(_decision(row, sent, awaits_next=awaits))
    return History(
        billed=await _billed(tx, sent, status),
        decisions=decisions,
        returned=await withheld.returned_of(tx, claim_id),
        unclassified=any(row["unknown_cents"] and not _resent(row, sent) for row in rows),
    )


async def _billed(tx: Transaction, sent: Sequence[Submission], status: str | None) -> dict[str, int]:
    """Each line's charge by the last submission to a first payer; nothing once the claim is void."""
    charging = [one for one in sent if one.rank == 1] or list(sent)
    if not charging or status == "void":
        return {}
    last = max(charging, key=lambda one: one.attempt)
    if last.frequency == "8":
        return {}
    return {line.line_id: line.charge_cents for line in await sent_lines(tx, last.id)}


def _resent(row: Row, sent: Sequence[Submission]) -> bool:
    return any(one.attempt > row["attempt"] and one.rank == row["rank"] and one.frequency != "8" for one in sent)


def _goes_on(row: Row, sent: Sequence[Submission]) -> bool:
    """The payer has passed the claim on, or it has gone or will go to the next one."""
    told = any(one.next_payer and one.rank == row["rank"] and one.attempt == row["attempt"] for one in sent)
    return bool(row["forwarded"]) or told or any(one.rank > row["rank"] for one in sent)


def _decision(row: Row, sent: Sequence[Submission], *, awaits_next: bool) -> Decision:
    return Decision(
        id=row["posting_id"],
        order=tuple(row["ordering"]),
        rank=row["rank"],
        paid=row["paid_cents"],
        contractual=row["contractual_cents"],
        patient=row["patient_cents"],
        denied=row["denied_cents"],
        withheld=row["withheld_cents"],
        resolution=row["resolution"],
        resent=_resent(row, sent),
        awaits_next=awaits_next,
    )


_DECISIONS = sa.text("""
    select p.id as posting_id, p.ordering, p.rank, p.attempt, p.forwarded, l.line_id, l.paid_cents,
        l.contractual_cents, l.patient_cents, l.denied_cents, l.withheld_cents, l.unknown_cents, d.resolution
    from posting p
    join posting_line l on l.tenant_id = p.tenant_id and l.posting_id = p.id
    left join denial d on d.tenant_id = p.tenant_id and d.posting_id = p.id and d.line_id = l.line_id
    where p.tenant_id = :tenant and p.claim_id = :claim and p.entry = 'payment' and p.reversed_by is null
    order by p.ordering, p.id
""")
