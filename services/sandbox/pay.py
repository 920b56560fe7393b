"""When a payer pays, and what one payment to one payee holds: claims, takebacks, interest, forwarded balances. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from libs.common.money import share
from services.sandbox.plans import Payer
from services.sandbox.remit835 import ClaimPaid, ProviderAdjustment

ADJUDICATES = time(22, 0, tzinfo=UTC)
WRITES = time(23, 0, tzinfo=UTC)
RELEASES = time(4, 0, tzinfo=UTC)
CHECK_TRAVELS_DAYS = 3


def adjudication_time(received: datetime) -> datetime:
    """The first nightly run after receipt."""
    tonight = datetime.combine(received.date(), ADJUDICATES)
    return tonight if received < tonight else tonight + timedelta(days=1)


def payment_time(payer: Payer, decided_on: date, *, late_days: int = 0) -> datetime:
    """The evening of the first payment day once the payer's lag has passed."""
    on = decided_on + timedelta(days=payer.payment.lag_days + late_days)
    while not payer.payment.pays_on(on):
        on += timedelta(days=1)
    return datetime.combine(on, WRITES)


def release_time(written: datetime) -> datetime:
    """An 835 lies in the mailbox from the next morning on."""
    return datetime.combine(written.date() + timedelta(days=1), RELEASES)


def business_day_after(on: date, days: int = 1) -> date:
    """So many banking days later."""
    while days:
        on += timedelta(days=1)
        days -= on.weekday() < 5
    return on


def deposit_date(method: str, effective: date) -> date:
    """When the money is in the payee's bank: at once, or after the check has travelled."""
    return effective if method == "ACH" else business_day_after(effective, CHECK_TRAVELS_DAYS)


def interest_cents(payer: Payer, received: date, effective: date, paid_cents: int) -> int:
    """Simple interest for each day beyond the payer's term."""
    if payer.interest is None or paid_cents <= 0:
        return 0
    late = (effective - received).days - payer.interest.after_days
    return share(paid_cents, payer.interest.yearly_percent / 100 * Decimal(late) / 365) if late > 0 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeback:
    """Money that the payer still wants back, for a claim of an earlier payment."""

    icn: str
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The provider adjustments of a payment, what it leaves to be taken later, and what it carries forward."""

    adjustments: tuple[ProviderAdjustment, ...]
    taken: tuple[Takeback, ...]
    carried_cents: int


def compose(
    claims: tuple[ClaimPaid, ...], takebacks: tuple[Takeback, ...], carried_cents: int, carried_from: str, trace: str
) -> Composed:
    """Balance a payment that is never negative: what is missing goes forward, takebacks take what there is."""
    pairs = [
        ProviderAdjustment(code="L6", reference=part.icn, cents=-part.interest_cents)
        for part in claims
        if part.interest_cents
    ]
    if carried_cents:
        pairs.append(ProviderAdjustment(code="FB", reference=carried_from, cents=carried_cents))
    left = sum(part.paid_cents for part in claims) - sum(pair.cents for pair in pairs)
    taken = []
    for takeback in takebacks:
        cents = min(takeback.cents, max(0, left))
        if cents:
            pairs.append(ProviderAdjustment(code="WO", reference=takeback.icn, cents=cents))
            taken.append(Takeback(icn=takeback.icn, cents=cents))
            left -= cents
    if left < 0:
        pairs.append(ProviderAdjustment(code="FB", reference=trace, cents=left))
    return Composed(adjustments=tuple(pairs), taken=tuple(taken), carried_cents=max(0, -left))


def claim_number(payer: Payer, received: date, *content: str) -> str:
    """The payer's claim number: its prefix, the day of receipt, and digits that only the claim's content decides."""
    return f"{payer.icn_prefix}{received:%y%j}{_digits('icn', payer.payer_id, *content, length=8)}"


def trace_number(payer: Payer, effective: date, *content: str) -> str:
    """The number of the transfer or check."""
    digits = _digits("trace", payer.payer_id, effective.isoformat(), *content, length=7)
    return f"{payer.icn_prefix}{effective:%y%m%d}{digits}" if payer.payment.method == "ACH" else f"1{digits}"


def chance(seed: str, *content: str) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    return int(_digits("chance", seed, *content, length=9)) / 10**9


def _digits(*content: str, length: int) -> str:
    digest = hashlib.sha256("\x1f".join(content).encode()).digest()
    return f"{int.from_bytes(digest[:12]) % 10**length:0{length}d}"
