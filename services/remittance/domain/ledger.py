"""Accounts, buckets and journals: every journal sums to zero, and so does every line of it.

Each bucket of a line is the balance of one account on that line. A payment stands on the line as the clearing money
that it used up, so a line's entries always sum to zero, and the identity of the buckets cannot be broken by posting.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Self


class Account(StrEnum):
    """Debit balances are positive."""

    CHARGES = "charges"
    IN_FLIGHT = "in_flight"
    DENIED_OPEN = "denied_open"
    PATIENT = "patient"
    WITHHELD = "withheld"
    CREDITS = "credits"
    CONTRACTUAL = "contractual"
    WRITTEN_OFF = "written_off"
    SUSPENSE = "suspense"
    """Money of remittances not yet tied to a claim; with a line: what that line used up of it (payer_paid)."""
    PATIENT_MONEY = "patient_money"
    """What patients have paid and nobody has used; with a line: what that line used up of it (patient_paid)."""
    ERA_CLEARING = "era_clearing"
    CASH = "cash"
    PATIENT_CASH = "patient_cash"
    UNMATCHED_DEPOSITS = "unmatched_deposits"


class Unbalanced(AssertionError):
    """Our own mistake: a journal that does not sum to zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """A charge, accounted for; all of it is 0 or more."""

    billed: int = 0
    credits: int = 0
    payer_paid: int = 0
    patient_paid: int = 0
    contractual: int = 0
    written_off: int = 0
    withheld: int = 0
    patient: int = 0
    denied_open: int = 0
    in_flight: int = 0

    def __post_init__(self) -> None:
        assert all(getattr(self, f.name) >= 0 for f in fields(self)), f"a bucket is below zero: {self}"
        assert self.difference == 0, f"the charge is not accounted for: {self}"

    @property
    def difference(self) -> int:
        """billed + credits less everything that accounts for them; 0 at any moment."""
        used = self.payer_paid + self.patient_paid + self.contractual + self.written_off + self.withheld
        return self.billed + self.credits - used - self.patient - self.denied_open - self.in_flight

    def __add__(self, other: Self) -> "Buckets":
        return Buckets(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    @property
    def responsibility(self) -> int:
        """What the patient was ever asked for and has paid or still owes."""
        return self.patient + self.patient_paid

    def cents(self) -> dict[str, int]:
        """The buckets under the names that events and answers use."""
        return {f"{f.name}_cents": getattr(self, f.name) for f in fields(self)}


BUCKET_NAMES: tuple[str, ...] = tuple(f.name for f in fields(Buckets))

ACCOUNT_OF: dict[str, tuple[Account, int]] = {
    "billed": (Account.CHARGES, -1),
    "credits": (Account.CREDITS, -1),
    "payer_paid": (Account.SUSPENSE, 1),
    "patient_paid": (Account.PATIENT_MONEY, 1),
    "contractual": (Account.CONTRACTUAL, 1),
    "written_off": (Account.WRITTEN_OFF, 1),
    "withheld": (Account.WITHHELD, 1),
    "patient": (Account.PATIENT, 1),
    "denied_open": (Account.DENIED_OPEN, 1),
    "in_flight": (Account.IN_FLIGHT, 1),
}
"""The account that holds each bucket of a line, and the sign of its debit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One side of a journal; `reference` is the payer's or bank's own number where the account is kept by it."""

    account: str
    amount_cents: int
    line_id: str | None = None
    reference: str | None = None


def moves(line_id: str, before: Buckets, after: Buckets) -> tuple[Entry, ...]:
    """The entries that take a line from one standing to another."""
    found = []
    for name in BUCKET_NAMES:
        account, sign = ACCOUNT_OF[name]
        change = getattr(after, name) - getattr(before, name)
        if change:
            found.append(Entry(account=account, amount_cents=sign * change, line_id=line_id))
    return balanced(tuple(found))


def balanced(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries as given, if they sum to zero."""
    if sum(entry.amount_cents for entry in entries) != 0:
        raise Unbalanced(entries)
    return entries


def cash_received(
    *, amount_cents: int, claims_cents: int, provider_adjustments: tuple[Entry, ...], clearing: str
) -> tuple[Entry, ...]:
    """A remittance's money: clearing and its provider adjustments against what its claims will use up.

    What does not add up (a transaction that a person let through) stays in suspense under its own reference.
    """
    adjusted = sum(entry.amount_cents for entry in provider_adjustments)
    rest = claims_cents - amount_cents - adjusted
    entries = [
        Entry(account=Account.ERA_CLEARING, amount_cents=amount_cents, reference=clearing),
        *provider_adjustments,
        Entry(account=Account.SUSPENSE, amount_cents=-claims_cents, reference=clearing),
        Entry(account=Account.SUSPENSE, amount_cents=rest, reference=f"{clearing}/difference"),
    ]
    return balanced(tuple(entry for entry in entries if entry.amount_cents))
