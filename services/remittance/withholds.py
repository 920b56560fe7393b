"""Withheld money comes back with a later remittance: what was the payer's debt on a line has been paid."""

from collections.abc import Sequence
from datetime import timedelta

from libs.common import tasks
from libs.common.db import Row, Transaction
from services.remittance import ledger
from services.remittance.domain.ledger import Account, Entry
from services.remittance.store import claims, queue, withheld
from services.remittance.store import ledger as journals

WITHHOLD = "plb:withhold"


async def give_back(tx: Transaction, era_id: str) -> None:
    """Each return of the remittance is paid on the lines it was withheld from: of the claim that the payer names, else
    of those that have waited longest. What fits none stays in its account, and a person looks at it.
    """
    era = await queue.remittance(tx, era_id)
    if era is None:
        return
    for one in await withheld.returns_in(tx, era_id, WITHHOLD):
        rows = await withheld.lines_with(
            tx, payer_id=era["payer_id"], practice_id=era["practice_id"], claim_id=one["claim_id"]
        )
        await _pay(tx, era, one, rows)


async def _pay(tx: Transaction, era: Row, one: Row, rows: Sequence[Row]) -> None:
    parts, left = [], one["left_cents"]
    for row in rows:
        part = min(row["withheld_cents"], left)
        if part:
            parts.append((row, part))
            left -= part
    used = one["left_cents"] - left
    if left:
        await _ask(tx, era, one, left)
    if not used:
        return
    await journals.write_journal(
        tx,
        "withhold_returned",
        [
            Entry(account=WITHHOLD, amount_cents=used, reference=one["reference"]),
            Entry(account=Account.SUSPENSE, amount_cents=-used, reference=era["id"]),
        ],
        practice_id=era["practice_id"],
        era_id=era["id"],
        payer_id=era["payer_id"],
    )
    for row, part in parts:
        await withheld.add_return(
            tx, provider_adjustment_id=one["id"], line_id=row["line_id"], practice_id=row["practice_id"],
            claim_id=row["claim_id"], amount_cents=part,
        )  # fmt: skip
    for _, claim_id in sorted({(row["patient_id"], row["claim_id"]) for row, _ in parts}):
        claim = await claims.lock(tx, claim_id)
        assert claim is not None, "a line has a receivable"
        await ledger.restate(tx, claim, "withhold_returned", era_id=era["id"])


async def _ask(tx: Transaction, era: Row, one: Row, cents: int) -> None:
    await tasks.open(
        tx,
        reason="plb_unlinked",
        subject_type="provider_adjustment",
        subject_id=one["id"],
        practice_id=era["practice_id"],
        owner=ledger.OWNER,
        due_on=tx.today + timedelta(days=ledger.DAYS_TO_LOOK_AT_IT),
        amount_cents=cents,
        detail="the payer returned more than it withholds from claims that we know",
    )
