"""Remittances, their claims, and what was posted of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Row, Transaction
from services.remittance import tables as t
from services.remittance.domain.era import EraClaim, of

WAITING = "waiting"
REMATCHED = ("unmatched", "reversal_unmatched")
"""Reasons that may solve themselves when more becomes known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A claim of a remittance, with what of the remittance matters for posting it."""

    id: str
    era_id: str
    position: int
    status: str
    reason: str | None
    payer_id: str | None
    practice_id: str | None
    paid_on: date
    trace: str
    era_position: int
    within: Sequence[str] | None
    """The practices that who brought it may see; None: all."""
    claim: EraClaim

    def may_be_about(self, practice_id: str) -> bool:
        """Whether who brought it may say anything of a claim of this practice."""
        return self.within is None or practice_id in self.within

    @property
    def ordering(self) -> list[str]:
        """Sorts as payers decided: by date of payment, trace, place in the file."""
        return [self.paid_on.isoformat(), self.trace, f"{self.era_position:06d}", f"{self.position:06d}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What was posted of one claim of a remittance."""

    id: str
    era_id: str
    claim_id: str
    submission_id: str
    payer_id: str
    rank: int
    attempt: int
    clp02: str
    icn: str
    paid_cents: int
    reversed_by: str | None


_ANSWER = (
    sa.select(
        t.era_claim,
        t.era.c.payer_id,
        t.era.c.paid_on,
        t.era.c.trace,
        t.era.c.position.label("era_position"),
        t.era.c.within,
    )
    .join(t.era, sa.and_(t.era.c.tenant_id == t.era_claim.c.tenant_id, t.era.c.id == t.era_claim.c.era_id))
)  # fmt: skip


def _answer(row: Row) -> Answer:
    return Answer(
        id=row["id"],
        era_id=row["era_id"],
        position=row["position"],
        status=row["status"],
        reason=row["reason"],
        payer_id=row["payer_id"],
        practice_id=row["practice_id"],
        paid_on=row["paid_on"],
        trace=row["trace"],
        era_position=row["era_position"],
        within=row["within"],
        claim=of(row),
    )


async def add_file(tx: Transaction, row: dict[str, Any]) -> bool:
    """The file is stored; False if the same bytes were stored before."""
    done = await tx.execute(insert(t.era_file).values(tenant_id=tx.tenant, **row).on_conflict_do_nothing())
    return bool(done.rowcount)


async def file_by_hash(tx: Transaction, content_hash: str) -> Row | None:
    return await tx.first(
        sa.select(t.era_file.c.id, t.era_file.c.status).where(
            t.era_file.c.tenant_id == tx.tenant, t.era_file.c.content_hash == content_hash
        )
    )


async def eras_of_file(tx: Transaction, file_id: str) -> Sequence[Row]:
    return await tx.all(
        sa.select(t.era)
        .where(t.era.c.tenant_id == tx.tenant, t.era.c.file_id == file_id)
        .order_by(t.era.c.position)
    )  # fmt: skip


async def same_payment(tx: Transaction, *, payer_identifier: str, trace: str, amount_cents: int) -> Row | None:
    """A remittance for the same payment that is or may be posted; nobody else adds one meanwhile."""
    await lock(tx, f"payment/{payer_identifier}/{trace}/{amount_cents}")
    return await tx.first(
        sa.select(t.era)
        .where(
            t.era.c.tenant_id == tx.tenant,
            t.era.c.payer_identifier == payer_identifier,
            t.era.c.trace == trace,
            t.era.c.amount_cents == amount_cents,
            t.era.c.status.not_in(["refused", "duplicate", "superseded"]),
        )
        .order_by(t.era.c.created_at)
    )


async def add_era(
    tx: Transaction, era: dict[str, Any], era_claims: list[dict[str, Any]], adjustments: list[dict[str, Any]]
) -> None:
    await tx.execute(t.era.insert(), {"tenant_id": tx.tenant, "created_at": tx.now, "version": 1, **era})
    common = {"tenant_id": tx.tenant, "created_at": tx.now, "era_id": era["id"], "practice_id": era["practice_id"]}
    if era_claims:
        await tx.execute(t.era_claim.insert(), [{**common, **row} for row in era_claims])
    if adjustments:
        await tx.execute(t.provider_adjustment.insert(), [{**common, **row} for row in adjustments])


async def lock_era(tx: Transaction, era_id: str) -> Row | None:
    return await tx.first(
        sa.select(t.era).where(t.era.c.tenant_id == tx.tenant, t.era.c.id == era_id).with_for_update()
    )


async def update_era(tx: Transaction, era_id: str, **values: Any) -> None:
    await tx.execute(
        t.era.update()
        .where(t.era.c.tenant_id == tx.tenant, t.era.c.id == era_id)
        .values(version=t.era.c.version + 1, **values)
    )


async def count_claims(tx: Transaction, era_id: str, status: str) -> int:
    found = await tx.scalar(
        sa.select(sa.func.count()).where(
            t.era_claim.c.tenant_id == tx.tenant, t.era_claim.c.era_id == era_id, t.era_claim.c.status == status
        )
    )
    return int(found)


async def unposted(tx: Transaction, era_id: str) -> list[str]:
    """The ids of the claims of a remittance that nobody has looked at yet, in the order of the file."""
    rows = await tx.all(
        sa.select(t.era_claim.c.id)
        .where(t.era_claim.c.tenant_id == tx.tenant, t.era_claim.c.era_id == era_id, t.era_claim.c.status == "received")
        .order_by(t.era_claim.c.position)
    )
    return [row["id"] for row in rows]


async def answer(tx: Transaction, era_claim_id: str) -> Answer | None:
    row = await tx.first(_ANSWER.where(t.era_claim.c.tenant_id == tx.tenant, t.era_claim.c.id == era_claim_id))
    return None if row is None else _answer(row)


async def waiting(
    tx: Transaction, *, pcn_key: str = "", member_key: str | None = None, icn: str = "", reasons: Sequence[str]
) -> list[str]:
    """Claims of remittances that wait for such a claim to become known, as payers decided."""
    keys = [
        clause
        for value, clause in (
            (pcn_key, t.era_claim.c.pcn_key == pcn_key),
            (member_key, t.era_claim.c.member_key == member_key),
            (icn, sa.or_(t.era_claim.c.icn == icn, t.era_claim.c.original_reference == icn)),
        )
        if value
    ]
    if not keys:
        return []
    rows = await tx.all(
        _ANSWER.where(
            t.era_claim.c.tenant_id == tx.tenant,
            t.era_claim.c.status == WAITING,
            t.era_claim.c.reason.in_(reasons),
            sa.or_(*keys),
        )
    )
    return [found.id for found in sorted((_answer(row) for row in rows), key=lambda a: a.ordering)]


async def settle(
    tx: Transaction, era_claim_id: str, *, status: str, reason: str | None, only: str | None = None, **values: Any
) -> bool:
    """The claim of a remittance has come that far; False if it had been posted meanwhile, or was not `only` so."""
    done = await tx.execute(
        t.era_claim.update()
        .where(
            t.era_claim.c.tenant_id == tx.tenant,
            t.era_claim.c.id == era_claim_id,
            t.era_claim.c.status.in_([only] if only else ["received", WAITING]),
        )
        .values(status=status, reason=reason, **values)
    )
    return bool(done.rowcount)


async def add_posting(tx: Transaction, row: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    await tx.execute(t.posting.insert(), {"tenant_id": tx.tenant, "created_at": tx.now, **row})
    common = {"tenant_id": tx.tenant, "posting_id": row["id"], "practice_id": row["practice_id"]}
    await tx.execute(t.posting_line.insert(), [{**common, **line} for line in lines])


async def set_outcome(tx: Transaction, posting_id: str, outcome: str) -> None:
    await tx.execute(
        t.posting.update()
        .where(t.posting.c.tenant_id == tx.tenant, t.posting.c.id == posting_id)
        .values(outcome=outcome)
    )


def _posting(row: Row) -> Posting:
    return Posting(**{name: row[name] for name in Posting.__dataclass_fields__})


async def live_postings(
    tx: Transaction, *, icn: str | None = None, submission_id: str | None = None, claim_id: str | None = None
) -> list[Posting]:
    """Payments that nobody has taken back, as payers made them."""
    wanted = {"icn": icn, "submission_id": submission_id, "claim_id": claim_id}
    rows = await tx.all(
        sa.select(t.posting)
        .where(
            t.posting.c.tenant_id == tx.tenant,
            t.posting.c.entry == "payment",
            t.posting.c.reversed_by.is_(None),
            *(t.posting.c[name] == value for name, value in wanted.items() if value is not None),
        )
        .order_by(t.posting.c.ordering, t.posting.c.id)
    )
    return [_posting(row) for row in rows]


async def has_decided(tx: Transaction, claim_id: str, payer_id: str) -> bool:
    """The payer has decided about the claim before."""
    return bool(
        await tx.scalar(
            sa.select(
                sa.exists().where(
                    t.posting.c.tenant_id == tx.tenant,
                    t.posting.c.claim_id == claim_id,
                    t.posting.c.payer_id == payer_id,
                    t.posting.c.entry == "payment",
                )
            )
        )
    )


async def lines_of_posting(tx: Transaction, posting_id: str) -> dict[str, Row]:
    rows = await tx.all(
        sa.select(t.posting_line).where(
            t.posting_line.c.tenant_id == tx.tenant, t.posting_line.c.posting_id == posting_id
        )
    )
    return {row["line_id"]: row for row in rows}


async def mark_reversed(tx: Transaction, posting_id: str, *, by: str) -> None:
    await tx.execute(
        t.posting.update()
        .where(t.posting.c.tenant_id == tx.tenant, t.posting.c.id == posting_id, t.posting.c.reversed_by.is_(None))
        .values(reversed_by=by)
    )


async def lock(tx: Transaction, name: str) -> None:
    """Nobody else does what goes under this name until the transaction ends."""
    await tx.execute(
        sa.text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"remittance/{tx.tenant}/{name}"},
    )


async def practice_by_npi(tx: Transaction, npi: str) -> str | None:
    """The only practice with that NPI."""
    rows = await tx.all(
        sa.select(t.practice.c.practice_id).where(t.practice.c.tenant_id == tx.tenant, t.practice.c.npi == npi)
    )
    return rows[0]["practice_id"] if len(rows) == 1 else None
