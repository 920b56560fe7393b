"""The ledger follows what is known of a claim: one journal for each change, and the patient's money after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from libs.common import outbox, tasks
from libs.common.db import Transaction
from libs.common.events import Event, PatientBalanceChanged, ReceivableChanged
from libs.common.events.remittance import Buckets as EventBuckets
from services.remittance.domain.ledger import Buckets, Entry, moves
from services.remittance.domain.line import Standing, stand
from services.remittance.domain.patient import Applied, Owed, apply_money
from services.remittance.store import claims, ledger, money
from services.remittance.store.claims import History, Receivable
from services.remittance.store.ledger import Line, PatientAccount

OWNER = "payments"
DAYS_TO_LOOK_AT_IT = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Restated:
    """A claim's lines before a change and after it, and the journal that took them there."""

    before: dict[str, Buckets]
    after: dict[str, Buckets]
    standings: dict[str, Standing]
    journal_id: str | None

    @property
    def total(self) -> Buckets:
        """How the claim stands now."""
        return sum(self.after.values(), Buckets())

    @property
    def awaits_next(self) -> int:
        """What of the patient's share waits for the next payer."""
        return sum(standing.awaits_next for standing in self.standings.values())


async def restate(tx: Transaction, claim: Receivable, kind: str, **cause: str | None) -> Restated:
    """The ledger says of the claim what all that is known of it comes to; `cause` names what made the difference."""
    history = await claims.history(tx, claim.claim_id)
    lines = await ledger.lines_of_claim(tx, claim.claim_id)
    standings = {
        line.id: stand(
            history.billed.get(line.id, 0), history.decisions.get(line.id, ()), history.returned.get(line.id, 0)
        )
        for line in lines
    }
    settled = {line.id: _by_payers(line, standings[line.id]) for line in lines}
    entries = [entry for line in lines for entry in moves(line.id, line.buckets, settled[line.id].buckets)]
    journal_id = await ledger.write_journal(
        tx, kind, entries, practice_id=claim.practice_id, claim_id=claim.claim_id, patient_id=claim.patient_id, **cause
    )
    after = await _patient_money(tx, claim, list(settled.values()))
    restated = Restated(
        before={line.id: line.buckets for line in lines}, after=after, standings=standings, journal_id=journal_id
    )
    if restated.after != restated.before:
        await tell(tx, claim, receivable_changed(claim, restated.total))
    await _watch(tx, claim, restated, history)
    return restated


def _by_payers(line: Line, standing: Standing) -> Line:
    """The line by what its payers say, with as much of the patient's money as is still owed on it."""
    paid = min(line.buckets.patient_paid, standing.responsibility)
    let_go = min(line.patient_written_off, standing.responsibility - paid)
    return replace(
        line, buckets=standing.buckets(patient_paid=paid, patient_written_off=let_go), patient_written_off=let_go
    )


async def tell(tx: Transaction, claim: Receivable, event: Event) -> None:
    """The event will be published as the next about this claim."""
    claim.version += 1
    await claims.save_version(tx, claim.claim_id, claim.version)
    tx.correlation_id = claim.encounter_id
    await outbox.add(tx, event, sequence=claim.version)


def receivable_changed(claim: Receivable, total: Buckets) -> ReceivableChanged:
    return ReceivableChanged(
        claim_id=claim.claim_id,
        practice_id=claim.practice_id,
        patient_id=claim.patient_id,
        payer_id=claim.payer_id,
        first_billed_on=claim.first_submitted_on,
        buckets=EventBuckets(**total.cents()),
    )


async def _patient_money(tx: Transaction, claim: Receivable, settled: list[Line]) -> dict[str, Buckets]:
    """The patient's money is where it is owed longest, on this claim's lines and the others; lines are saved."""
    others = await ledger.other_lines_of_patient(tx, claim.patient_id, but_claim=claim.claim_id)
    moved = await settle_patient(tx, claim.account, [*settled, *others], claim_id=claim.claim_id)
    after = {}
    for line in settled:
        buckets, let_go = moved.get(line.id, (line.buckets, line.patient_written_off))
        await ledger.save_line(tx, line.id, buckets, let_go)
        after[line.id] = buckets
    claim.account = await save_moved(tx, claim.account, others, moved)
    return after


async def save_moved(
    tx: Transaction, account: PatientAccount, lines: Sequence[Line], moved: dict[str, tuple[Buckets, int]]
) -> PatientAccount:
    """Lines on which the patient's money moved are saved, and their claims and the balance told."""
    changed = [line for line in lines if line.id in moved]
    for line in changed:
        await ledger.save_line(tx, line.id, *moved[line.id])
    for claim_id in sorted({line.claim_id for line in changed}):
        other = await claims.under(tx, claim_id, account)
        total = sum((line.buckets for line in await ledger.lines_of_claim(tx, claim_id)), Buckets())
        await tell(tx, other, receivable_changed(other, total))
    return await tell_balance(tx, account)


async def settle_patient(
    tx: Transaction,
    account: PatientAccount,
    lines: Sequence[Line],
    *,
    claim_id: str | None,
    kind: str = "patient_money",
) -> dict[str, tuple[Buckets, int]]:
    """What became of the lines that the patient's money moved on: buckets, and how much was let go. One journal."""
    owed = [
        Owed(
            line_id=line.id,
            order=line.order,
            responsibility=line.buckets.responsibility + line.patient_written_off,
            paid=line.buckets.patient_paid,
            written_off=line.asked,
        )
        for line in lines
    ]
    applied, _ = apply_money(owed, account.received)
    moved = {}
    entries: list[Entry] = []
    for line in lines:
        buckets = _with_patient(line, applied[line.id])
        if buckets != line.buckets:
            entries += moves(line.id, line.buckets, buckets)
            moved[line.id] = (buckets, applied[line.id].written_off)
    await ledger.write_journal(
        tx,
        kind,
        entries,
        practice_id=account.practice_id,
        patient_id=account.patient_id,
        claim_id=claim_id,
    )
    return moved


def _with_patient(line: Line, applied: Applied) -> Buckets:
    share = line.buckets.responsibility + line.patient_written_off
    return replace(
        line.buckets,
        patient_paid=applied.paid,
        patient=share - applied.paid - applied.written_off,
        written_off=line.buckets.written_off - line.patient_written_off + applied.written_off,
    )


async def tell_balance(tx: Transaction, account: PatientAccount) -> PatientAccount:
    """What the patient owes and has left is known, and told if it is news. Call it after the lines are saved."""
    owed, used = await ledger.owed_and_paid(tx, account.patient_id)
    now = replace(account, balance=owed, unapplied=account.received - used)
    is_news = (now.balance, now.unapplied) != (account.balance, account.unapplied)
    if is_news:
        now = replace(now, version=account.version + 1)
        event = PatientBalanceChanged(
            patient_id=now.patient_id,
            practice_id=now.practice_id,
            balance_cents=now.balance,
            unapplied_cents=now.unapplied,
        )
        await outbox.add(tx, event, sequence=now.version)
        await ledger.save_account(tx, now)
    if account.unapplied or now.unapplied:
        await _offer_refund(tx, now)
    return now


async def _offer_refund(tx: Transaction, account: PatientAccount) -> None:
    """Money of a patient who will not owe anything has a task until it is used or given back."""
    if account.unapplied == 0 or await money.is_pending(tx, account.patient_id):
        await tasks.close(tx, subject_id=account.patient_id, reason="patient_credit", outcome="solved")
        return
    await tasks.open(
        tx,
        reason="patient_credit",
        subject_type="patient",
        subject_id=account.patient_id,
        practice_id=account.practice_id,
        owner=OWNER,
        due_on=tx.today + timedelta(days=DAYS_TO_LOOK_AT_IT),
        amount_cents=account.unapplied,
        detail="the patient has paid more than was owed; refund it, or keep it for the next visit",
    )


async def _watch(tx: Transaction, claim: Receivable, restated: Restated, history: History) -> None:
    """What a person must look at has a task as long as it is so, and no longer."""
    total = restated.total
    wanted = {
        "credit_balance": (total.credits, "the payer has paid more than the claim was worth; refund it or wait for it"),
        "adjustment_unclassified": (
            total.in_flight if history.unclassified else 0,
            "an adjustment code is in no table; the money stays in flight until it is classified",
        ),
    }
    settled = {"takeback_without_correction"} if history.decisions else set()
    settled |= {reason for reason, (amount, _) in wanted.items() if not amount}
    for reason in sorted(settled & await money.open_reasons(tx, claim.claim_id)):
        await tasks.close(tx, subject_id=claim.claim_id, reason=reason, outcome="solved")
    for reason, (amount, words) in wanted.items():
        if amount:
            await tasks.open(
                tx,
                reason=reason,
                subject_type="claim",
                subject_id=claim.claim_id,
                practice_id=claim.practice_id,
                owner=OWNER,
                due_on=tx.today + timedelta(days=DAYS_TO_LOOK_AT_IT),
                amount_cents=amount,
                detail=words,
            )
