"""Patients' own money: taken at the visit or paid later, applied to what is owed longest, never more than is owed."""

from dataclasses import replace
from datetime import date

from libs.common.db import Transaction
from libs.common.events import EncounterCreated, Envelope
from libs.common.ids import new_id
from libs.common.problems import FieldError, Invalid
from services.remittance import ledger
from services.remittance.domain.ledger import Account, Entry
from services.remittance.store import ledger as store
from services.remittance.store import money


class NothingToRefund(Exception):
    """Less of the patient's money is free than is to be given back."""


async def on_encounter_created(tx: Transaction, event: Envelope[EncounterCreated]) -> None:
    """What the patient paid at the visit is a prepayment until the patient's share is known.

    The EHR may send the encounter again with another amount: the difference is taken, newest revision last.
    """
    said = event.data
    account = await store.lock_account(tx, said.patient_id, said.practice_id)
    taken, revision = await money.taken_at_visit(tx, said.encounter_id)
    if said.revision <= revision:
        return
    change = said.collected_cents - taken
    await money.save_visit(
        tx,
        said.encounter_id,
        practice_id=said.practice_id,
        patient_id=said.patient_id,
        collected_cents=said.collected_cents,
        revision=said.revision,
    )
    if change:
        await receive(
            tx, account, kind="copay", amount_cents=change, received_on=tx.today, encounter_id=said.encounter_id
        )


async def receive(
    tx: Transaction,
    account: store.PatientAccount,
    *,
    kind: str,
    amount_cents: int,
    received_on: date,
    encounter_id: str | None = None,
    method: str | None = None,
    reference: str | None = None,
) -> str:
    """The patient's money is in the ledger and used where it is owed longest; negative takes it out again."""
    assert account.received + amount_cents >= 0, "no more can be given back than was taken"
    money_id = new_id("pmt")
    await money.add(
        tx,
        id=money_id,
        practice_id=account.practice_id,
        patient_id=account.patient_id,
        encounter_id=encounter_id,
        kind=kind,
        amount_cents=amount_cents,
        method=method,
        reference=reference,
        received_on=received_on,
    )
    await store.write_journal(
        tx,
        "patient_receipt",
        [
            Entry(account=Account.PATIENT_CASH, amount_cents=amount_cents, reference=money_id),
            Entry(account=Account.PATIENT_MONEY, amount_cents=-amount_cents, reference=money_id),
        ],
        practice_id=account.practice_id,
        patient_id=account.patient_id,
    )
    account = replace(account, received=account.received + amount_cents)
    lines = await store.other_lines_of_patient(tx, account.patient_id, but_claim=None)
    moved = await ledger.settle_patient(tx, account, lines, claim_id=None)
    await ledger.save_moved(tx, account, lines, moved)
    return money_id


async def refund(tx: Transaction, patient_id: str, *, amount_cents: int, refunded_on: date, reason: str) -> str:
    """Free money of the patient goes back. Raises Invalid (nobody knows them), NothingToRefund (less is free)."""
    owner = await money.account(tx, patient_id)
    if owner is None:
        raise Invalid([FieldError("/patient_id", "unknown", "No money of this patient is known.")])
    account = await store.lock_account(tx, patient_id, owner["practice_id"])
    if account.unapplied < amount_cents:
        raise NothingToRefund
    return await receive(
        tx, account, kind="refund", amount_cents=-amount_cents, received_on=refunded_on, reference=reason
    )
