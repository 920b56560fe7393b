"""A payer's files: claims, decisions, what they moved, and what is to be paid."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from libs.common.db import Row, Transaction
from services.sandbox.accumulators import Effect
from services.sandbox.claims837 import Claim
from services.sandbox.decisions import Decision
from services.sandbox.pay import claim_number
from services.sandbox.plans import Payer

_CLAIM = TypeAdapter(Claim)
_DECISION = TypeAdapter(Decision)
_EFFECT = TypeAdapter(Effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledClaim:
    """A claim in the payer's files."""

    icn: str
    payer_id: str
    submitter_id: str
    file_id: str | None
    claim: Claim
    member_id: str
    attempt: int
    position: int
    received_at: datetime
    adjudicate_at: datetime
    replaced_icn: str | None = None
    status: str = "pending"
    decision: Decision | None = None
    faults: dict[str, Any]


async def lock_payer(tx: Transaction, payer_id: str) -> None:
    """Intake and the nightly run of one payer take turns."""
    await tx.execute(sa.text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"sandbox/{payer_id}"})


async def effects(tx: Transaction, payer_id: str, member_ids: Iterable[str]) -> dict[str, list[Effect]]:
    """The lines that still stand, by claim number."""
    rows = await tx.all(
        sa.text(
            "select icn, body from effect where payer_id = :payer and member_id = any(:ids) and stands "
            "order by icn, line"
        ),
        {"payer": payer_id, "ids": list(member_ids)},
    )
    found: dict[str, list[Effect]] = {}
    for row in rows:
        found.setdefault(row["icn"], []).append(_EFFECT.validate_python(row["body"]))
    return found


async def file_claim(tx: Transaction, one: FiledClaim) -> None:
    """The claim is in the payer's files."""
    await tx.execute(
        sa.text(
            "insert into claim (icn, payer_id, submitter_id, file_id, member_id, service_from, billing_npi, pcn, "
            "frequency, replaced_icn, attempt, position, received_at, adjudicate_at, status, body, faults) values "
            "(:icn, :payer, :submitter, :file, :member, :service_from, :npi, :pcn, :frequency, :replaced, :attempt, "
            ":position, :received, :adjudicate, 'pending', cast(:body as jsonb), :faults)"
        ).bindparams(sa.bindparam("faults", type_=sa.JSON)),
        {
            "icn": one.icn,
            "payer": one.payer_id,
            "submitter": one.submitter_id,
            "file": one.file_id,
            "member": one.member_id,
            "service_from": one.claim.service_from,
            "npi": one.claim.billing.id,
            "pcn": one.claim.pcn,
            "frequency": one.claim.frequency,
            "replaced": one.replaced_icn,
            "attempt": one.attempt,
            "position": one.position,
            "received": one.received_at,
            "adjudicate": one.adjudicate_at,
            "body": _CLAIM.dump_json(one.claim).decode(),
            "faults": one.faults,
        },
    )


async def find_claim(tx: Transaction, payer_id: str, icn: str) -> FiledClaim | None:
    row = await tx.first(sa.text("select * from claim where payer_id = :p and icn = :i"), {"p": payer_id, "i": icn})
    return _filed(row) if row else None


async def attempt(tx: Transaction, payer_id: str, member_id: str, on: date) -> int:
    """The how-manieth claim of that member and date this is at this payer, the rejected ones counted."""
    return int(
        await tx.scalar(
            sa.text(
                "insert into arrival (payer_id, member_id, service_from, claims) values (:p, :m, :d, 1) "
                "on conflict (payer_id, member_id, service_from) do update set claims = arrival.claims + 1 "
                "returning claims"
            ),
            {"p": payer_id, "m": member_id, "d": on},
        )
    )


async def pending(tx: Transaction, payer_id: str, until: datetime) -> list[FiledClaim]:
    """What waits for the nightly run, in the order in which the payer takes it up."""
    rows = await tx.all(
        sa.text(
            "select * from claim where payer_id = :p and status = 'pending' and adjudicate_at <= :until order by "
            "adjudicate_at, received_at, frequency in ('7', '8') or replaced_icn is not null, service_from, "
            "billing_npi, position, pcn"
        ),
        {"p": payer_id, "until": until},
    )
    return [_filed(row) for row in rows]


async def free_number(tx: Transaction, payer: Payer, received: date, *content: str) -> str:
    """A claim number that only the content decides; moved on where another claim has it already."""
    for turn in count():
        icn = claim_number(payer, received, *content, str(turn))
        if await find_claim(tx, payer.payer_id, icn) is None:
            return icn
    raise AssertionError("counting does not end")


async def is_replaced(tx: Transaction, icn: str) -> bool:
    """A replacement, void or correction of this claim has come before."""
    return bool(await tx.scalar(sa.text("select exists(select from claim where replaced_icn = :i)"), {"i": icn}))


async def claims_by_icn(tx: Transaction, icns: Iterable[str]) -> dict[str, FiledClaim]:
    rows = await tx.all(sa.text("select * from claim where icn = any(:icns)"), {"icns": list(icns)})
    return {row["icn"]: _filed(row) for row in rows}


async def decide(tx: Transaction, one: FiledClaim, decision: Decision) -> None:
    """The decision and what it moved are on file."""
    await tx.execute(
        sa.text("update claim set status = 'decided', decision = cast(:d as jsonb) where icn = :icn"),
        {"icn": one.icn, "d": _DECISION.dump_json(decision).decode()},
    )
    moved = [decided.effect for decided in decision.lines if decided.effect]
    if moved:
        await tx.execute(
            sa.text(
                "insert into effect (icn, line, payer_id, member_id, body) "
                "values (:icn, :line, :payer, :member, cast(:body as jsonb))"
            ),
            [
                {
                    "icn": one.icn,
                    "line": effect.line,
                    "payer": one.payer_id,
                    "member": effect.member_id,
                    "body": _EFFECT.dump_json(effect).decode(),
                }
                for effect in moved
            ],
        )


async def reverse(tx: Transaction, icn: str) -> None:
    """The claim no longer counts; its accumulators are restored."""
    await tx.execute(sa.text("update claim set status = 'reversed' where icn = :icn"), {"icn": icn})
    await tx.execute(sa.text("update effect set stands = false where icn = :icn"), {"icn": icn})


async def set_status(tx: Transaction, icn: str, status: str) -> None:
    await tx.execute(sa.text("update claim set status = :s where icn = :icn"), {"icn": icn, "s": status})


async def next_due(tx: Transaction, payer_id: str) -> datetime | None:
    """When this payer has its next work to do."""
    found: datetime | None = await tx.scalar(
        sa.text(
            "select least((select min(adjudicate_at) from claim where payer_id = :p and status = 'pending'), "
            "(select min(pay_at) from pay_item where payer_id = :p and paid_by is null))"
        ),
        {"p": payer_id},
    )
    return found


async def due_now(tx: Transaction) -> int:
    """Adjudications and payments that are due and not done, at all payers."""
    return int(
        await tx.scalar(
            sa.text(
                "select (select count(*) from claim where status = 'pending' and adjudicate_at <= :now) "
                "+ (select count(*) from pay_item where paid_by is null and pay_at <= :now)"
            ),
            {"now": tx.now},
        )
    )


def _filed(row: Row) -> FiledClaim:
    decision = row["decision"]
    return FiledClaim(
        icn=row["icn"],
        payer_id=row["payer_id"],
        submitter_id=row["submitter_id"],
        file_id=row["file_id"],
        claim=_CLAIM.validate_python(row["body"]),
        member_id=row["member_id"],
        attempt=row["attempt"],
        position=row["position"],
        received_at=row["received_at"],
        adjudicate_at=row["adjudicate_at"],
        replaced_icn=row["replaced_icn"],
        status=row["status"],
        decision=_DECISION.validate_python(decision) if decision is not None else None,
        faults=row["faults"],
    )
