"""What was decided becomes payments: scheduled at adjudication, written on payment days, one 835 to each payee."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from libs.common.db import Row, Transaction
from services.sandbox import mailbox, store
from services.sandbox.decisions import Decision
from services.sandbox.pay import (
    Takeback,
    business_day_after,
    compose,
    deposit_date,
    interest_cents,
    payment_time,
    release_time,
    trace_number,
)
from services.sandbox.plans import Payer
from services.sandbox.remit835 import ClaimPaid, Remittance, write_835
from services.sandbox.segments import Header
from services.sandbox.store import FiledClaim

_WITH_THE_PAYMENT = ("unbalanced_835", "answer_twice")


async def schedule(
    tx: Transaction, payer: Payer, one: FiledClaim, decision: Decision, at: datetime, *, after: FiledClaim | None
) -> None:
    """The decision will be paid on the payer's next payment day, or as a scenario wants it."""
    if "no_835" in one.faults:
        return
    late = int(one.faults["late_835"].get("days", 30)) if "late_835" in one.faults else 0
    pay_at = payment_time(payer, at.date(), late_days=late)
    if after is not None:
        pay_at = await _not_before(tx, after.icn, pay_at)
    numbers = [decided.line.number for decided in decision.lines]
    parts: list[tuple[int, list[int]]] = [(1, [])]
    if "two_payments" in one.faults:
        parts = [(1, numbers[:1]), (2, numbers[1:])] if len(numbers) > 1 else [(2, [])]
    for part, kept in parts:
        await _add_item(tx, one, pay_at, part=part, line_numbers=kept, reversal=False)


async def schedule_reversal(tx: Transaction, payer: Payer, original: FiledClaim, at: datetime) -> None:
    """Every part of the original will be mirrored, not before it was paid itself."""
    pay_at = await _not_before(tx, original.icn, payment_time(payer, at.date()))
    parts = await tx.all(
        sa.text("select line_numbers from pay_item where icn = :i and not reversal order by number"),
        {"i": original.icn},
    )
    for row in parts:
        await _add_item(tx, original, pay_at, part=1, line_numbers=row["line_numbers"], reversal=True)


async def _not_before(tx: Transaction, icn: str, at: datetime) -> datetime:
    latest = await _last_payment(tx, icn)
    return at if latest is None else max(at, latest)


async def _last_payment(tx: Transaction, icn: str) -> datetime | None:
    found: datetime | None = await tx.scalar(sa.text("select max(pay_at) from pay_item where icn = :i"), {"i": icn})
    return found


async def _add_item(
    tx: Transaction, one: FiledClaim, pay_at: datetime, *, part: int, line_numbers: list[int], reversal: bool
) -> None:
    kind = "reversal" if reversal else "payment"
    await tx.execute(
        sa.text(
            "insert into pay_item (id, payer_id, submitter_id, billing_npi, part, pay_at, icn, reversal, "
            "line_numbers, faults) values (:id, :payer, :submitter, :npi, :part, :at, :icn, :reversal, :lines, :faults)"
        ).bindparams(sa.bindparam("faults", type_=sa.JSON)),
        {
            "id": f"{one.icn}/{kind}/{','.join(map(str, line_numbers))}",
            "payer": one.payer_id,
            "submitter": one.submitter_id,
            "npi": one.claim.billing.id,
            "part": part,
            "at": pay_at,
            "icn": one.icn,
            "reversal": reversal,
            "lines": line_numbers,
            "faults": {} if reversal else {f: one.faults[f] for f in _WITH_THE_PAYMENT if f in one.faults},
        },
    )


async def take_back_later(
    tx: Transaction, payer: Payer, one: FiledClaim, decision: Decision, at: datetime, params: dict[str, Any]
) -> None:
    """What was paid for the claim is wanted back after so many days, from a later payment than its own."""
    wanted = payment_time(payer, at.date(), late_days=int(params.get("days", 7)))
    own = await _last_payment(tx, one.icn)
    if own is not None and wanted <= own:
        wanted = own + timedelta(minutes=1)
    cents = min(int(params.get("cents", decision.paid_cents)), decision.paid_cents)
    await tx.execute(
        sa.text(
            "insert into takeback (icn, payer_id, submitter_id, billing_npi, from_at, left_cents) "
            "values (:icn, :payer, :submitter, :npi, :at, :cents)"
        ),
        {
            "icn": one.icn,
            "payer": payer.payer_id,
            "submitter": one.submitter_id,
            "npi": one.claim.billing.id,
            "at": wanted,
            "cents": cents,
        },
    )


async def correct_later(tx: Transaction, payer: Payer, one: FiledClaim, at: datetime, params: dict[str, Any]) -> None:
    """The same claim will be decided anew, under a new number, after so many days."""
    faults: dict[str, dict[str, Any]]
    if "reason" in params:
        faults = {"deny": {key: params[key] for key in ("group", "reason", "remark") if key in params}}
    else:
        faults = {"underpay": {"percent": params.get("percent", 90)}}
    again = replace(
        one,
        icn=await store.free_number(tx, payer, one.received_at.date(), one.icn, "correction"),
        adjudicate_at=at + timedelta(days=int(params.get("days", 7))),
        replaced_icn=one.icn,
        faults=faults,
        decision=None,
    )
    await store.file_claim(tx, again)


async def pay_all(tx: Transaction, payer: Payer, at: datetime) -> None:
    """Everything whose payment day has come is paid, a payment to each payee."""
    rows = await tx.all(
        sa.text(
            "select * from pay_item where payer_id = :p and paid_by is null and pay_at <= :at "
            "order by submitter_id, billing_npi, part, number"
        ),
        {"p": payer.payer_id, "at": at},
    )
    claims = await store.claims_by_icn(tx, {row["icn"] for row in rows})
    for _, of_payee in groupby(rows, key=lambda row: (row["submitter_id"], row["billing_npi"], row["part"])):
        await _pay(tx, payer, list(of_payee), claims, at)


async def _pay(tx: Transaction, payer: Payer, rows: Sequence[Row], claims: dict[str, FiledClaim], at: datetime) -> None:
    """One payment and its 835; what could not be taken or covered waits for the next."""
    first = rows[0]
    key = {"payer": payer.payer_id, "submitter": first["submitter_id"], "npi": first["billing_npi"]}
    effective = business_day_after(at.date())
    trace = trace_number(payer, effective, key["submitter"], key["npi"], str(first["part"]), at.date().isoformat())
    paid = tuple(_claim_paid(payer, row, claims[row["icn"]], effective) for row in rows)
    takebacks = await _takebacks(tx, key, at)
    carried = await tx.first(
        sa.text(
            "delete from carried where payer_id = :payer and submitter_id = :submitter and billing_npi = :npi "
            "returning cents, reference"
        ),
        key,
    )
    composed = compose(
        paid,
        takebacks,
        carried["cents"] if carried else 0,
        carried["reference"] if carried else "",
        trace,
    )
    remittance = Remittance(
        payer=payer,
        payee=claims[first["icn"]].claim,
        claims=paid,
        adjustments=composed.adjustments,
        trace=trace,
        produced=at.date(),
        effective=effective,
        skew_cents=_transaction_skew(rows),
    )
    for taken in composed.taken:
        await tx.execute(
            sa.text("update takeback set left_cents = left_cents - :c where icn = :i"),
            {"c": taken.cents, "i": taken.icn},
        )
    if composed.carried_cents:
        await tx.execute(
            sa.text(
                "insert into carried (payer_id, submitter_id, billing_npi, cents, reference) "
                "values (:payer, :submitter, :npi, :cents, :reference)"
            ),
            {**key, "cents": composed.carried_cents, "reference": trace},
        )
    await _write(tx, remittance, rows, at)


def _claim_paid(payer: Payer, row: Row, one: FiledClaim, effective: date) -> ClaimPaid:
    assert one.decision is not None, "only what is decided is paid"
    skew = row["faults"].get("unbalanced_835")
    part = ClaimPaid(
        claim=one.claim,
        decision=one.decision,
        icn=one.icn,
        reversal=row["reversal"],
        original_icn=one.icn if row["reversal"] else one.replaced_icn or "",
        received=one.received_at.date(),
        line_numbers=tuple(row["line_numbers"]),
        skew_cents=int(skew.get("cents", 1000)) if skew and skew.get("level", "claim") == "claim" else 0,
    )
    if row["reversal"]:
        return part
    interest = interest_cents(payer, part.received, effective, part.paid_cents)
    return replace(part, interest_cents=interest)


def _transaction_skew(rows: Sequence[Row]) -> int:
    found = [row["faults"]["unbalanced_835"] for row in rows if "unbalanced_835" in row["faults"]]
    return sum(int(params.get("cents", 1000)) for params in found if params.get("level", "claim") == "transaction")


async def _takebacks(tx: Transaction, key: dict[str, Any], at: datetime) -> tuple[Takeback, ...]:
    rows = await tx.all(
        sa.text(
            "select icn, left_cents from takeback where payer_id = :payer and submitter_id = :submitter "
            "and billing_npi = :npi and left_cents > 0 and from_at <= :at order by from_at, icn"
        ),
        {**key, "at": at},
    )
    return tuple(Takeback(icn=row["icn"], cents=row["left_cents"]) for row in rows)


async def _write(tx: Transaction, remittance: Remittance, rows: Sequence[Row], at: datetime) -> None:
    payer, submitter_id = remittance.payer, rows[0]["submitter_id"]
    header = Header(
        sender=payer.edi_id,
        receiver=submitter_id,
        control_number=await mailbox.next_control_number(tx),
        created=at,
        functional_id="HP",
        version="005010X221A1",
    )
    body = write_835(remittance, header)
    await tx.execute(
        sa.text(
            "insert into payment (payer_id, trace, submitter_id, billing_npi, method, amount_cents, written_at, "
            "effective_on, deposited_on, body) values (:payer, :trace, :submitter, :npi, :method, :cents, :at, "
            ":effective, :deposited, :body)"
        ),
        {
            "payer": payer.payer_id,
            "trace": remittance.trace,
            "submitter": submitter_id,
            "npi": rows[0]["billing_npi"],
            "method": remittance.method,
            "cents": remittance.amount_cents,
            "at": at,
            "effective": remittance.effective,
            "deposited": deposit_date(remittance.method, remittance.effective),
            "body": body,
        },
    )
    await tx.execute(
        sa.text("update pay_item set paid_by = :trace where id = any(:ids)"),
        {"trace": remittance.trace, "ids": [row["id"] for row in rows]},
    )
    asked = [row["faults"]["answer_twice"].get("what", "both") for row in rows if "answer_twice" in row["faults"]]
    twice = any(what in ("835", "both") for what in asked)
    await mailbox.deliver(tx, submitter_id, "835", body, at=release_time(at), copies=2 if twice else 1)
