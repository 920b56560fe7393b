"""The ledger's figures: every dollar of charges by bucket, every dollar of payments by where it is now."""

from libs.common.db import Transaction
from services.remittance.domain.ledger import BUCKET_NAMES, Account
from services.remittance.store import ledger, queue

PROVIDER_ADJUSTMENTS = "plb:"


async def totals(tx: Transaction) -> dict[str, int]:
    """All buckets, cash and what is on its way there, and by how much each identity is off (0).

    `ledger_imbalance_cents` adds up every way in which the ledger could be wrong: entries that do not sum to zero,
    stored buckets that differ from the journals, and charges that are not accounted for.
    """
    buckets = await ledger.bucket_totals(tx)
    accounts = await ledger.account_totals(tx)

    def balance(account: str, *, on_line: bool = False) -> int:
        return accounts.get((account, on_line), 0)

    plb = sum(cents for (account, _), cents in accounts.items() if account.startswith(PROVIDER_ADJUSTMENTS))
    used = sum(buckets[f"{name}_cents"] for name in BUCKET_NAMES if name not in ("billed", "credits"))
    identity = buckets["billed_cents"] + buckets["credits_cents"] - used
    suspense = -balance(Account.SUSPENSE) - balance(Account.SUSPENSE, on_line=True)
    received = await queue.received_from_payers(tx)
    differs = await ledger.lines_that_differ_from_their_journals(tx)
    return {
        **buckets,
        "era_received_cents": received,
        "era_clearing_cents": balance(Account.ERA_CLEARING),
        "suspense_cents": suspense,
        "provider_adjustment_cents": plb,
        "era_identity_difference_cents": received - (buckets["payer_paid_cents"] + suspense - plb),
        "cash_cents": balance(Account.CASH) + balance(Account.PATIENT_CASH),
        "payer_cash_cents": balance(Account.CASH),
        "patient_cash_cents": balance(Account.PATIENT_CASH),
        "unmatched_deposits_cents": -balance(Account.UNMATCHED_DEPOSITS),
        "patient_unapplied_cents": -balance(Account.PATIENT_MONEY) - balance(Account.PATIENT_MONEY, on_line=True),
        "identity_difference_cents": identity,
        "ledger_imbalance_cents": abs(sum(accounts.values())) + differs + abs(identity),
    }


async def provider_adjustments(tx: Transaction) -> dict[str, int]:
    """The balance of each provider adjustment account."""
    accounts = await ledger.account_totals(tx)
    return {
        account.removeprefix(PROVIDER_ADJUSTMENTS): cents
        for (account, _), cents in sorted(accounts.items())
        if account.startswith(PROVIDER_ADJUSTMENTS)
    }
