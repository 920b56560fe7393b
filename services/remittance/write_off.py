"""What a patient owes is let go by somebody's decision, with a reason, and can be asked for again."""

from dataclasses import replace

from libs.common import audit
from libs.common.db import Row, Transaction
from libs.common.ids import new_id
from libs.common.problems import Conflict, NotFound
from services.remittance import ledger
from services.remittance.store import claims, money
from services.remittance.store import ledger as store


async def let_go(tx: Transaction, claim_id: str, *, kind: str, amount_cents: int | None, why: str) -> Row:
    """So much of what the patient owes on the claim, oldest line first, is written off; all of it by default.

    Raises NotFound, Conflict (the patient owes less).
    """
    claim = await claims.lock(tx, claim_id)
    if claim is None:
        raise NotFound
    lines = await store.lines_of_claim(tx, claim_id)
    owed = sum(line.buckets.patient for line in lines)
    left = amount = owed if amount_cents is None else amount_cents
    if not 0 < amount <= owed:
        raise Conflict("more_than_owed", "The patient does not owe that much on this claim.")
    for line in lines:
        part = min(line.buckets.patient, left)
        if part:
            await store.ask_to_let_go(tx, line.id, line.asked + part)
        left -= part
    return await _decided(tx, claim, kind=kind, amount_cents=amount, why=why)


async def ask_again(tx: Transaction, write_off_id: str, *, why: str) -> Row:
    """A write-off counts no longer, by a linked entry: the patient owes it again. Raises NotFound, Conflict."""
    found = await money.write_off(tx, write_off_id)
    if found is None:
        raise NotFound
    claim = await claims.lock(tx, found["claim_id"])
    assert claim is not None, "what was written off was billed"
    if found["reverses"] is not None or await money.is_reversed(tx, write_off_id):
        raise Conflict("state_conflict", "This write-off has been reversed, or is a reversal itself.")
    left = found["amount_cents"]
    for line in reversed(await store.lines_of_claim(tx, claim.claim_id)):
        part = min(line.asked, left)
        await store.ask_to_let_go(tx, line.id, line.asked - part)
        left -= part
    return await _decided(
        tx, claim, kind=found["kind"], amount_cents=-found["amount_cents"], why=why, reverses=write_off_id
    )


async def _decided(
    tx: Transaction, claim: claims.Receivable, *, kind: str, amount_cents: int, why: str, reverses: str | None = None
) -> Row:
    """The decision is on record, the ledger follows it, and whoever hears of balances has been told."""
    write_off_id = new_id("pwo")
    row = await money.add_write_off(
        tx,
        id=write_off_id,
        practice_id=claim.practice_id,
        patient_id=claim.patient_id,
        claim_id=claim.claim_id,
        kind=kind,
        amount_cents=amount_cents,
        reverses=reverses,
        why=why,
        decided_by=tx.actor,
    )
    action = "patient.write_off" if amount_cents > 0 else "patient.write_off_reversed"
    await audit.record(tx, action, "patient_write_off", write_off_id, why, practice_id=claim.practice_id)
    lines = await store.other_lines_of_patient(tx, claim.patient_id, but_claim=None)
    account = replace(claim.account)
    moved = await ledger.settle_patient(tx, account, lines, claim_id=claim.claim_id, kind="patient_write_off")
    await ledger.save_moved(tx, account, lines, moved)
    return row
