"""Journals, lines and patients' accounts: written and read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Row, Transaction
from libs.common.ids import new_id
from services.remittance import tables as t
from services.remittance.domain.ledger import ACCOUNT_OF, BUCKET_NAMES, Buckets, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A service line as stored; `asked` is how much of the patient's share somebody has decided to let go."""

    id: str
    claim_id: str
    position: int
    code_family: str
    service_date: date
    buckets: Buckets
    patient_written_off: int = 0
    asked: int = 0

    @property
    def order(self) -> tuple[str, ...]:
        return (self.service_date.isoformat(), self.claim_id, f"{self.position:04d}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientAccount:
    """What a patient has paid a practice and owes it; locked until the transaction ends."""

    patient_id: str
    practice_id: str
    received: int
    balance: int
    unapplied: int
    version: int


async def write_journal(
    tx: Transaction, kind: str, entries: Sequence[Entry], *, practice_id: str | None, **about: str | None
) -> str | None:
    """The journal stands in the ledger; None where there is nothing to post. `about` names what caused it."""
    if not entries:
        return None
    assert sum(entry.amount_cents for entry in entries) == 0, "a journal sums to zero"
    journal_id = new_id("jrn")
    payer_id = about.pop("payer_id", None)
    await tx.execute(
        t.journal.insert(),
        {
            "tenant_id": tx.tenant,
            "id": journal_id,
            "practice_id": practice_id,
            "kind": kind,
            "posted_on": tx.today,
            "created_at": tx.now,
            **about,
        },
    )
    rows = [
        {
            "tenant_id": tx.tenant,
            "journal_id": journal_id,
            "n": n,
            "practice_id": practice_id,
            "account": str(entry.account),
            "amount_cents": entry.amount_cents,
            "line_id": entry.line_id,
            "patient_id": about.get("patient_id"),
            "payer_id": payer_id,
            "reference": entry.reference,
        }
        for n, entry in enumerate(entries, start=1)
    ]
    await tx.execute(t.entry.insert(), rows)
    return journal_id


async def journal_of_posting(tx: Transaction, posting_id: str) -> str | None:
    found = await tx.scalar(
        sa.select(t.journal.c.id).where(
            t.journal.c.tenant_id == tx.tenant, t.journal.c.posting_id == posting_id, t.journal.c.kind == "payment"
        )
    )
    return None if found is None else str(found)


def _line(row: Row) -> Line:
    return Line(
        id=row["line_id"],
        claim_id=row["claim_id"],
        position=row["position"],
        code_family=row["code_family"],
        service_date=row["service_date"],
        buckets=Buckets(**{name: row[f"{name}_cents"] for name in BUCKET_NAMES}),
        patient_written_off=row["patient_written_off_cents"],
        asked=row["patient_write_off_asked_cents"],
    )


async def lines_of_claim(tx: Transaction, claim_id: str) -> list[Line]:
    rows = await tx.all(
        sa.select(t.line)
        .where(t.line.c.tenant_id == tx.tenant, t.line.c.claim_id == claim_id)
        .order_by(t.line.c.position, t.line.c.line_id)
    )
    return [_line(row) for row in rows]


async def other_lines_of_patient(tx: Transaction, patient_id: str, *, but_claim: str | None) -> list[Line]:
    """The patient's lines of other claims on which something is or was owed; call it with the account locked."""
    rows = await tx.all(
        sa.select(t.line).where(
            t.line.c.tenant_id == tx.tenant,
            t.line.c.patient_id == patient_id,
            t.line.c.patient_cents + t.line.c.patient_paid_cents + t.line.c.patient_written_off_cents > 0,
            *([] if but_claim is None else [t.line.c.claim_id != but_claim]),
        )
    )
    return [_line(row) for row in rows]


async def add_lines(tx: Transaction, rows: Iterable[dict[str, Any]]) -> None:
    """Lines that are not known yet are known, with nothing posted on them."""
    for row in rows:
        await tx.execute(insert(t.line).values(tenant_id=tx.tenant, **row).on_conflict_do_nothing())


async def save_line(tx: Transaction, line_id: str, buckets: Buckets, patient_written_off: int) -> None:
    await tx.execute(
        t.line.update()
        .where(t.line.c.tenant_id == tx.tenant, t.line.c.line_id == line_id)
        .values(patient_written_off_cents=patient_written_off, **buckets.cents())
    )


async def ask_to_let_go(tx: Transaction, line_id: str, cents: int) -> None:
    """So much of the patient's share of the line is to be written off, as far as it is not paid."""
    await tx.execute(
        t.line.update()
        .where(t.line.c.tenant_id == tx.tenant, t.line.c.line_id == line_id)
        .values(patient_write_off_asked_cents=cents)
    )


async def lock_account(tx: Transaction, patient_id: str, practice_id: str) -> PatientAccount:
    """The patient's account, made where there was none; nobody else moves the patient's money meanwhile."""
    locked = (
        sa.select(t.patient_account)
        .where(t.patient_account.c.tenant_id == tx.tenant, t.patient_account.c.patient_id == patient_id)
        .with_for_update()
    )
    row = await tx.first(locked)
    if row is None:
        new = {"tenant_id": tx.tenant, "patient_id": patient_id, "practice_id": practice_id}
        await tx.execute(insert(t.patient_account).values(**new).on_conflict_do_nothing())
        row = await tx.one(locked)
    return PatientAccount(
        patient_id=patient_id,
        practice_id=row["practice_id"],
        received=row["received_cents"],
        balance=row["balance_cents"],
        unapplied=row["unapplied_cents"],
        version=row["version"],
    )


async def save_account(tx: Transaction, account: PatientAccount) -> None:
    await tx.execute(
        t.patient_account.update()
        .where(t.patient_account.c.tenant_id == tx.tenant, t.patient_account.c.patient_id == account.patient_id)
        .values(
            received_cents=account.received,
            balance_cents=account.balance,
            unapplied_cents=account.unapplied,
            version=account.version,
        )
    )


async def owed_and_paid(tx: Transaction, patient_id: str) -> tuple[int, int]:
    """What the patient owes, and what of the patient's money is used, over all lines."""
    owed, paid = t.line.c.patient_cents, t.line.c.patient_paid_cents
    row = await tx.one(
        sa.select(
            sa.func.coalesce(sa.func.sum(owed), 0).label("owed"), sa.func.coalesce(sa.func.sum(paid), 0).label("paid")
        ).where(t.line.c.tenant_id == tx.tenant, t.line.c.patient_id == patient_id)
    )
    return int(row["owed"]), int(row["paid"])


async def bucket_totals(tx: Transaction) -> dict[str, int]:
    """Every bucket over all lines that the caller may see."""
    sums = [sa.func.coalesce(sa.func.sum(t.line.c[f"{n}_cents"]), 0).label(f"{n}_cents") for n in BUCKET_NAMES]
    row = await tx.one(sa.select(*sums).where(t.line.c.tenant_id == tx.tenant))
    return {name: int(amount) for name, amount in row.items()}


async def account_totals(tx: Transaction) -> dict[tuple[str, bool], int]:
    """Each account's balance, what stands on lines apart from what does not, of what the caller may see.

    A journal of no practice is of a remittance that nobody knows, which is shown to who may see all only, or of a
    deposit: that is everybody's until it is tied, then of the remittance's practice.
    """
    on_line = t.entry.c.line_id.is_not(None)
    deposits = sa.select(t.deposit.c.id).where(  # row-level security leaves out those of other practices
        sa.or_(t.deposit.c.practice_id.is_not(None), t.deposit.c.era_id.is_(None))
    )
    of_deposits = t.entry.c.journal_id.in_(sa.select(t.journal.c.id).where(t.journal.c.deposit_id.in_(deposits)))
    rows = await tx.all(
        sa.select(t.entry.c.account, on_line.label("on_line"), sa.func.sum(t.entry.c.amount_cents).label("cents"))
        .where(t.entry.c.tenant_id == tx.tenant, sa.or_(tx.of_a_practice(t.entry.c.practice_id), of_deposits))
        .group_by(t.entry.c.account, on_line)
    )
    return {(row["account"], row["on_line"]): int(row["cents"]) for row in rows}


async def lines_that_differ_from_their_journals(tx: Transaction) -> int:
    """How many cents the stored buckets differ from what the journals say; 0 unless something is broken."""
    of_lines = await bucket_totals(tx)
    accounts = await account_totals(tx)
    return sum(
        abs(of_lines[f"{name}_cents"] - sign * accounts.get((account, True), 0))
        for name, (account, sign) in ACCOUNT_OF.items()
    )


async def journals_of_claim(tx: Transaction, claim_id: str) -> list[dict[str, Any]]:
    """The claim's journals with their entries, oldest first."""
    return await _journals(tx, t.journal.c.claim_id == claim_id)


async def journals_of_remittance(tx: Transaction, era_id: str) -> list[dict[str, Any]]:
    """What was posted on a remittance itself and on no claim of it, with its entries, oldest first."""
    return await _journals(tx, t.journal.c.era_id == era_id, t.journal.c.claim_id.is_(None))


async def _journals(tx: Transaction, *of: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    rows = await tx.all(
        sa.select(t.journal).where(t.journal.c.tenant_id == tx.tenant, *of)
        .order_by(t.journal.c.created_at, t.journal.c.id)
    )  # fmt: skip
    entries = await tx.all(
        sa.select(t.entry)
        .where(t.entry.c.tenant_id == tx.tenant, t.entry.c.journal_id.in_([row["id"] for row in rows]))
        .order_by(t.entry.c.journal_id, t.entry.c.n)
    )
    return [{**row, "entries": [e for e in entries if e["journal_id"] == row["id"]]} for row in rows]
