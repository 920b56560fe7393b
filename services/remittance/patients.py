"""Patients' own money: taken at the visit or paid later, applied to what is owed longest, never more than is owed."""

from dataclasses import replace
from datetime import date, timedelta

from libs.common import tasks
from libs.common.db import Transaction
from libs.common.events import EncounterCreated, Envelope
from libs.common.ids import new_id
from services.remittance import ledger
from services.remittance.domain.ledger import Account, Entry
from services.remittance.ledger import DAYS_TO_LOOK_AT_IT, OWNER
from services.remittance.store import ledger as store
from services.remittance.store import money


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
        tx, said.encounter_id, practice_id=said.practice_id, collected=said.collected_cents, revision=said.revision
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
    account = await ledger.save_moved(tx, account, lines, moved)
    await _offer_refund(tx, account, kind)
    return money_id


async def _offer_refund(tx: Transaction, account: store.PatientAccount, kind: str) -> None:
    """Money paid on a bill and not owed has a task, until it is used or given back; prepayments wait for their bill."""
    if account.unapplied == 0:
        await tasks.close(tx, subject_id=account.patient_id, reason="patient_credit", outcome="solved")
    elif kind == "payment":
        await tasks.open(
            tx,
            reason="patient_credit",
            subject_type="patient",
            subject_id=account.patient_id,
            practice_id=account.practice_id,
            owner=OWNER,
            due_on=tx.today + timedelta(days=DAYS_TO_LOOK_AT_IT),
            amount_cents=account.unapplied,
            detail="the patient has paid more than is owed so far; refund it, or keep it for the next visit",
        )
