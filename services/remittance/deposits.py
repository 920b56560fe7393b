"""Money in the bank is tied to the remittance that announced it: clearing becomes cash."""

from datetime import date, timedelta

from libs.common import outbox, tasks
from libs.common.db import Row, Transaction
from libs.common.events import DepositMatched
from libs.common.ids import new_id
from services.remittance.domain.ledger import Account, Entry
from services.remittance.ledger import OWNER
from services.remittance.store import bank, remittances
from services.remittance.store import ledger as journals

BUSINESS_DAYS = 3
DAYS_TO_LOOK_AT_IT = 3


def business_days_between(one: date, other: date) -> int:
    """How many days from Monday to Friday lie after the earlier and up to the later date."""
    start, end = sorted((one, other))
    weeks, rest = divmod((end - start).days, 7)
    return weeks * 5 + sum((start + timedelta(days=n)).weekday() < 5 for n in range(1, rest + 1))


async def record(
    tx: Transaction, *, trace: str, amount_cents: int, deposited_on: date, reference: str | None
) -> tuple[str, bool]:
    """The deposit is cash, tied to its remittance where that is known; its id, and whether it was known before."""
    await remittances.lock(tx, f"trace/{trace}")
    known = await bank.same_deposit(
        tx, trace=trace, amount_cents=amount_cents, deposited_on=deposited_on, reference=reference
    )
    if known is not None:
        return known["id"], True
    deposit_id = new_id("dep")
    await bank.add_deposit(
        tx, id=deposit_id, trace=trace, amount_cents=amount_cents, deposited_on=deposited_on, reference=reference,
        status="unmatched",
    )  # fmt: skip
    await journals.write_journal(
        tx,
        "deposit",
        [
            Entry(account=Account.CASH, amount_cents=amount_cents, reference=deposit_id),
            Entry(account=Account.UNMATCHED_DEPOSITS, amount_cents=-amount_cents, reference=deposit_id),
        ],
        practice_id=None,
        deposit_id=deposit_id,
    )
    fitting = [
        era
        for era in await bank.eras_awaiting_money(tx, trace=trace, amount_cents=amount_cents)
        if business_days_between(era["paid_on"], deposited_on) <= BUSINESS_DAYS
    ]
    if len(fitting) == 1:
        await _tie(tx, deposit_id, fitting[0], amount_cents, deposited_on)
    else:
        await tasks.open(
            tx, reason="deposit_unmatched", subject_type="deposit", subject_id=deposit_id, owner=OWNER,
            due_on=tx.today + timedelta(days=DAYS_TO_LOOK_AT_IT), amount_cents=amount_cents,
            detail="no remittance of this trace and amount is known around that date",
        )  # fmt: skip
    return deposit_id, False


async def match_era(tx: Transaction, era: Row) -> None:
    """A remittance that comes after its money is tied to it."""
    await remittances.lock(tx, f"trace/{era['trace']}")
    fitting = [
        deposit
        for deposit in await bank.unmatched_deposits(tx, trace=era["trace"], amount_cents=era["amount_cents"])
        if business_days_between(era["paid_on"], deposit["deposited_on"]) <= BUSINESS_DAYS
    ]
    if len(fitting) == 1:
        await _tie(tx, fitting[0]["id"], era, fitting[0]["amount_cents"], fitting[0]["deposited_on"])


async def _tie(tx: Transaction, deposit_id: str, era: Row, amount_cents: int, deposited_on: date) -> None:
    await bank.tie(tx, deposit_id, era["id"], practice_id=era["practice_id"])
    await remittances.update_era(tx, era["id"], deposit_id=deposit_id)
    await journals.write_journal(
        tx,
        "deposit_matched",
        [
            Entry(account=Account.UNMATCHED_DEPOSITS, amount_cents=amount_cents, reference=deposit_id),
            Entry(account=Account.ERA_CLEARING, amount_cents=-amount_cents, reference=era["id"]),
        ],
        practice_id=era["practice_id"],
        deposit_id=deposit_id,
        era_id=era["id"],
    )
    await tasks.close(tx, subject_id=deposit_id, reason="deposit_unmatched", outcome="matched")
    event = DepositMatched(
        deposit_id=deposit_id,
        era_id=era["id"],
        practice_id=era["practice_id"],
        amount_cents=amount_cents,
        deposited_on=deposited_on,
    )
    await outbox.add(tx, event, sequence=1)
