"""A remittance file comes in: stored sealed as it came, read, balanced, its money in clearing, its claims to post.

However it comes (API, webhook, mailbox) and however often, each payment is taken once.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from libs.common import outbox, tasks, timers
from libs.common.clearinghouse import usage_of
from libs.common.db import Row, Transaction
from libs.common.events import EraReceived
from libs.common.ids import new_id
from libs.common.money import dollars
from services.remittance import balance, deposits, match, post, takebacks
from services.remittance.domain.era import EraClaim, content, key_of
from services.remittance.domain.ledger import Entry, cash_received
from services.remittance.ledger import OWNER
from services.remittance.read import Era, eras
from services.remittance.store import ledger as journals
from services.remittance.store import remittances

CONTEXT = "era_file"
DAYS_TO_DECIDE = 2
TASKS = {
    "test_payment": (
        "era_test",
        "the file says that it is a test (ISA15 T), and the account at the clearinghouse is not for tests; nothing of "
        "it is posted: refuse it, unless the payer confirms that it paid the money",
    ),
    "live_payment": (
        "era_not_test",
        "the file says that its money is real (ISA15 P), and the account at the clearinghouse is for tests; nothing of "
        "it is posted: post it if the money is in the bank, and set the account to what it is",
    ),
    "payment_repeated": (
        "era_repeated",
        "the same payment has come with other claims; nothing of this one is posted",
    ),
    "transaction_unbalanced": (
        "era_unbalanced",
        "payment {amount} is not claims {claims} less provider adjustments {adjusted}, it differs by {difference}; "
        "nothing of it is posted",
    ),
}
"""The task for each reason to ask a person about a whole remittance, and what that person should know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file that is ours now; `repeated`: it was before."""

    file_id: str
    era_ids: list[str]
    repeated: bool


class Unreadable(Exception):
    """The file holds no remittance that could be read."""


async def take_in(
    tx: Transaction, raw: bytes, *, source: str, reference: str | None = None, practice_id: str | None = None
) -> Taken:
    """The file's remittances are stored and will be posted; the same bytes again change nothing.

    Raises Unreadable and Forbidden, which store nothing.
    """
    content_hash = hashlib.sha256(raw).hexdigest()
    await remittances.lock(tx, f"file/{content_hash}")
    known = await remittances.file_by_hash(tx, content_hash)
    if known is not None:
        rows = await remittances.eras_of_file(tx, known["id"])
        return Taken(file_id=known["id"], era_ids=[row["id"] for row in rows], repeated=True)
    found = eras(raw, tx.tenant)
    if not found:
        raise Unreadable
    file_id = await _store(tx, raw, content_hash, source=source, reference=reference, status="read")
    ids = [await _add(tx, era, file_id, position, practice_id) for position, era in enumerate(found, start=1)]
    return Taken(file_id=file_id, era_ids=ids, repeated=False)


async def keep_unreadable(tx: Transaction, raw: bytes, *, source: str, reference: str) -> None:
    """A file from the mailbox that could not be read is kept, and a person looks at it."""
    content_hash = hashlib.sha256(raw).hexdigest()
    if await remittances.file_by_hash(tx, content_hash) is not None:
        return
    file_id = await _store(tx, raw, content_hash, source=source, reference=reference, status="unreadable")
    await tasks.open(
        tx, reason="era_unreadable", subject_type="era_file", subject_id=file_id, owner=OWNER,
        due_on=tx.today + timedelta(days=DAYS_TO_DECIDE), detail="the file holds no remittance that could be read",
    )  # fmt: skip


async def _store(
    tx: Transaction, raw: bytes, content_hash: str, *, source: str, reference: str | None, status: str
) -> str:
    assert tx.keyring is not None, "raw files are kept sealed"
    file_id = new_id("erf")
    await remittances.add_file(
        tx,
        {
            "id": file_id,
            "content_hash": content_hash,
            "source": source,
            "reference": reference,
            "body_sealed": tx.keyring.seal(tx.tenant, raw, CONTEXT),
            "status": status,
            "received_at": tx.now,
        },
    )
    return file_id


async def _add(tx: Transaction, era: Era, file_id: str, position: int, practice_id: str | None) -> str:
    """One remittance is stored; if nothing stands against it, its money is in clearing and its claims will post.

    Raises Forbidden (practice_forbidden) where the payee is none of the practices that the caller may see.
    """
    practice_id = await remittances.practice_by_npi(tx, era.payee_npi) or practice_id
    tx.must_reach(practice_id)
    era_id = new_id("era")
    print_ = fingerprint(era.claims)
    status, reason = await _verdict(tx, era, print_)
    rows = [_claim_row(claim, n) for n, claim in enumerate(era.claims, start=1)]
    await remittances.add_era(
        tx,
        {
            "id": era_id,
            "file_id": file_id,
            "position": position,
            "practice_id": practice_id,
            "payer_id": era.payer_id,
            "payer_name": era.payer_name,
            "payer_identifier": era.payment.payer_identifier,
            "payee_npi": era.payee_npi,
            "trace": era.payment.trace_number,
            "method": era.payment.method,
            "amount_cents": era.amount_cents,
            "claims_cents": era.claims_cents,
            "provider_adjustment_cents": era.adjusted_cents,
            "difference_cents": era.difference_cents,
            "fingerprint": print_,
            "paid_on": era.payment.paid_on,
            "status": status,
            "reason": reason,
            "within": None if tx.practice_ids is None else sorted(tx.practice_ids),
        },
        rows,
        [_adjustment_row(one, n) for n, one in enumerate(era.adjustments, start=1)],
    )
    if status == "duplicate":
        return era_id
    await _tell(tx, era, era_id, practice_id)
    if status == "received":
        await accept(tx, era_id)
    else:
        await _ask(tx, era, era_id, practice_id, str(reason))
    return era_id


async def _verdict(tx: Transaction, era: Era, print_: str) -> tuple[str, str | None]:
    """Whether the remittance posts by itself, is one that we have, or needs a person.

    What is marked as a test where none is expected never posts by itself, and gives way to the payment it played.
    """
    usage = await usage_of(tx)
    other = None if era.usage == usage else "test_payment" if era.usage == "T" else "live_payment"
    before = await remittances.same_payment(
        tx,
        payer_identifier=era.payment.payer_identifier,
        trace=era.payment.trace_number,
        amount_cents=era.amount_cents,
    )
    if before is not None and other is None and _gives_way(before, era, print_):
        await remittances.update_era(tx, before["id"], status="superseded")
        await tasks.close(tx, subject_id=before["id"], outcome="corrected")
        before = None
    if before is not None and before["fingerprint"] == print_:
        return "duplicate", None
    if other is not None or before is not None:
        return "needs_decision", other or "payment_repeated"
    return ("needs_decision", "transaction_unbalanced") if era.difference_cents else ("received", None)


def _gives_way(before: Row, era: Era, print_: str) -> bool:
    """Whether what waits for a person was a test of this payment, or is put right by it."""
    if before["status"] != "needs_decision":
        return False
    if before["reason"] == "test_payment":
        return True
    return before["fingerprint"] != print_ and not era.difference_cents


async def _ask(tx: Transaction, era: Era, era_id: str, practice_id: str | None, reason: str) -> None:
    task, words = TASKS[reason]
    await tasks.open(
        tx, reason=task, subject_type="remittance", subject_id=era_id, practice_id=practice_id,
        owner=OWNER, due_on=tx.today + timedelta(days=DAYS_TO_DECIDE), amount_cents=abs(era.amount_cents),
        detail=words.format(
            amount=dollars(era.amount_cents), claims=dollars(era.claims_cents),
            adjusted=dollars(era.adjusted_cents), difference=dollars(era.difference_cents),
        ),
    )  # fmt: skip


async def _tell(tx: Transaction, era: Era, era_id: str, practice_id: str | None) -> None:
    waiting = 0
    for claim in era.claims:
        if balance.claim_differences(claim) or await match.find(tx, claim, era.payer_id) is None:
            waiting += 1
    event = EraReceived(
        era_id=era_id,
        practice_id=practice_id,
        payer_id=era.payer_id,
        method=era.payment.method or "unknown",
        amount_cents=era.amount_cents,
        provider_adjustment_cents=era.adjusted_cents,
        claims=len(era.claims),
        waiting=waiting,
        balance="transaction_unbalanced" if era.difference_cents else "balanced",
        paid_on=era.payment.paid_on,
    )
    await outbox.add(tx, event, sequence=1)


async def accept(tx: Transaction, era_id: str) -> None:
    """The remittance's money is in clearing, and its claims are posted as soon as the worker comes to it."""
    era = await remittances.lock_era(tx, era_id)
    assert era is not None, "what is accepted has been stored"
    adjustments = await takebacks.entries_of(tx, era_id)
    entries = cash_received(
        amount_cents=era["amount_cents"],
        claims_cents=era["claims_cents"],
        provider_adjustments=tuple(Entry(account=a, amount_cents=c, reference=r) for a, c, r in adjustments),
        clearing=era_id,
    )
    await journals.write_journal(
        tx, "remittance", entries, practice_id=era["practice_id"], era_id=era_id, payer_id=era["payer_id"]
    )
    await takebacks.link(tx, era)
    await deposits.match_era(tx, era)
    await timers.set(tx, post.KIND, era_id, at=tx.now)


def fingerprint(claims: Sequence[EraClaim]) -> str:
    """The same for the same claims with the same payments, whatever envelope they come in."""
    said = [[c.pcn, c.icn, c.status, c.charge_cents, c.paid_cents] for c in claims]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()


def _claim_row(claim: EraClaim, position: int) -> dict[str, Any]:
    differences = balance.claim_differences(claim)
    return {
        "id": new_id("erc"),
        "position": position,
        "pcn": claim.pcn,
        "pcn_key": key_of(claim.pcn),
        "clp02": claim.status,
        "icn": claim.icn,
        "original_reference": claim.original_reference,
        "charge_cents": claim.charge_cents,
        "paid_cents": claim.paid_cents,
        "patient_responsibility_cents": claim.patient_responsibility_cents,
        "member_key": claim.member_key,
        "content": content(claim),
        "difference_cents": sum(abs(one.cents) for one in differences),
        "difference": "; ".join(one.words for one in differences) or None,
        "status": "received",
    }


def _adjustment_row(one: Any, position: int) -> dict[str, Any]:
    return {
        "id": new_id("pla"),
        "position": position,
        "provider_npi": one.npi,
        "code": one.code,
        "reference": one.reference,
        "amount_cents": one.amount_cents,
        "account": one.account,
    }
