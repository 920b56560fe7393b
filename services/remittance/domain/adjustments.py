"""What a payer's adjustments of a line come to, by the table of `libs.codes`; an unknown code guesses nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from libs.codes.adjustments import Adjusts, classify


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """A reason why paid differs from charged; positive reduces the payment."""

    group: str
    reason: str
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """The adjustments of a line by what they do with the money; `leading` names the denial."""

    contractual: int = 0
    patient: int = 0
    denied: int = 0
    withheld: int = 0
    explained: int = 0
    """Prior payers and information: accounts for money elsewhere, moves none."""
    unknown: int = 0
    leading: Adjustment | None = None


_FIELD = {
    Adjusts.CONTRACTUAL: "contractual",
    Adjusts.SEQUESTRATION: "contractual",
    Adjusts.PATIENT: "patient",
    Adjusts.DENIAL: "denied",
    Adjusts.WITHHOLD: "withheld",
    Adjusts.PRIOR_PAYER: "explained",
    Adjusts.INFORMATION: "explained",
    Adjusts.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a tenant reads a code that no table knows; `payer_id` None: whoever sends it."""

    payer_id: str | None
    group: str
    reason: str
    adjusts: Adjusts
    effective_from: date
    effective_to: date | None = None

    def covers(self, adjustment: Adjustment, payer_id: str | None, on: date) -> bool:
        return (
            (self.group, self.reason) == (adjustment.group, adjustment.reason)
            and self.payer_id in (None, payer_id)
            and self.effective_from <= on
            and (self.effective_to is None or on <= self.effective_to)
        )


def classified(
    adjustments: Iterable[Adjustment], *, payer_id: str | None, on: date, readings: Sequence[Reading] = ()
) -> Classified:
    """The sums by class as of the date of service; the largest denying adjustment leads.

    A reading of the tenant's own counts only for what no table knows, a payer's before everybody's.
    """
    sums = dict.fromkeys(_FIELD.values(), 0)
    leading: Adjustment | None = None
    for adjustment in adjustments:
        kind = classify(adjustment.group, adjustment.reason, payer_id, on)
        if kind is Adjusts.UNKNOWN:
            kind = _read(adjustment, payer_id, on, readings)
        name = _FIELD[kind]
        sums[name] += adjustment.amount_cents
        if name == "denied" and (leading is None or adjustment.amount_cents > leading.amount_cents):
            leading = adjustment
    return Classified(leading=leading, **sums)


def _read(adjustment: Adjustment, payer_id: str | None, on: date, readings: Sequence[Reading]) -> Adjusts:
    fitting = [one for one in readings if one.covers(adjustment, payer_id, on)]
    fitting.sort(key=lambda one: (one.payer_id is not None, one.effective_from), reverse=True)
    return fitting[0].adjusts if fitting else Adjusts.UNKNOWN


def spread(amount: int, capacities: Sequence[int]) -> list[int]:
    """The amount in whole cents over the capacities, in proportion, the rounding carried from line to line.

    No line gets more than its capacity as long as the amount fits into their sum; what does not fit, or is negative,
    falls on the first line.
    """
    total = sum(capacities)
    if total <= 0 or not 0 <= amount <= total:
        return [amount, *([0] * (len(capacities) - 1))] if capacities else []
    given, seen, parts = 0, 0, []
    for capacity in capacities:
        seen += capacity
        part = min(amount * seen // total - given, capacity)
        given += part
        parts.append(part)
    return parts
