"""The patient's share of one session, with its steps in words; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from libs.common.money import dollars, share
from services.eligibility.benefits import Benefits

PERCENT_OF_CHARGE: Final = Decimal("0.65")
"""What payers commonly allow of a charge where no fee is on file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One service of the session; `allowed_cents` None where no fee is on file."""

    code: str
    charge_cents: int
    allowed_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the patient will likely owe; the range is wider than a point where the payer is not clear."""

    allowed_cents: int
    patient_cents: int
    low_cents: int
    high_cents: int
    confidence: Decimal
    steps: tuple[str, ...]


def estimate(benefits: Benefits, lines: Iterable[Line], *, eap: bool = False) -> Estimate | None:
    """The patient's share of a covered session; None where there is nothing to base it on."""
    services = list(lines)
    if not services:
        return None
    allowed, steps, confidence = _allowed(services)
    if eap:
        words = "An employee assistance session costs the patient nothing."
        return _point(allowed, 0, confidence, (*steps, words))
    if benefits.visits_left == 0:
        words = "No visits are left in the benefit period: the patient owes the whole session."
        charge = sum(line.charge_cents for line in services)
        return _point(charge, charge, confidence, (*steps, words))
    ways = _ways(benefits, allowed)
    if not ways:
        return None
    low, high = min(ways), max(ways)
    chosen = ways[0]
    if len({patient for patient, _ in ways}) > 1:
        confidence -= Decimal("0.3")
    return Estimate(
        allowed_cents=allowed,
        patient_cents=chosen[0],
        low_cents=low[0],
        high_cents=high[0],
        confidence=max(confidence, Decimal("0.1")),
        steps=(*steps, *chosen[1]),
    )


def _allowed(lines: list[Line]) -> tuple[int, tuple[str, ...], Decimal]:
    """What the payer will likely allow, how we know, and how sure that is."""
    steps, total, confidence = [], 0, Decimal("0.9")
    for line in lines:
        if line.allowed_cents is not None:
            allowed = line.allowed_cents
            steps.append(f"{line.code}: {dollars(allowed)} allowed by the fee schedule.")
        else:
            allowed = share(line.charge_cents, PERCENT_OF_CHARGE)
            confidence = Decimal("0.5")
            steps.append(f"{line.code}: {dollars(allowed)} taken as allowed, 65 % of the charge, no fee on file.")
        total += allowed
    return total, tuple(steps), confidence


def _point(allowed: int, patient: int, confidence: Decimal, steps: tuple[str, ...]) -> Estimate:
    return Estimate(
        allowed_cents=allowed,
        patient_cents=patient,
        low_cents=patient,
        high_cents=patient,
        confidence=confidence,
        steps=steps,
    )


def _ways(benefits: Benefits, allowed: int) -> list[tuple[int, tuple[str, ...]]]:
    """The share by each reading of the benefits that is left open, the likeliest first."""
    copays: tuple[int | None, ...] = benefits.copays_cents or (None,)
    coinsurances: tuple[Decimal | None, ...] = benefits.coinsurances or (None,)
    if copays == (None,) and coinsurances == (None,) and _deductible_left(benefits) is None:
        return []
    open_question = benefits.deductible_applies is None and _deductible_left(benefits)
    applied = (False, True) if open_question else (bool(benefits.deductible_applies),)
    return [
        _way(benefits, allowed, copay, coinsurance, applies=applies)
        for applies in applied
        for copay in copays
        for coinsurance in coinsurances
    ]


def _way(
    benefits: Benefits, allowed: int, copay: int | None, coinsurance: Decimal | None, *, applies: bool
) -> tuple[int, tuple[str, ...]]:
    """Deductible first where it applies, then copay and coinsurance on the rest, never above the out-of-pocket rest."""
    steps: list[str] = []
    deductible = _deductible(benefits, allowed, copay, steps, applies=applies)
    rest = allowed - deductible
    paid = 0
    if copay is not None:
        paid = min(copay, rest)
        steps.append(f"Copay {dollars(copay)}: {dollars(paid)} of the remaining {dollars(rest)}.")
    if coinsurance is not None:
        part = share(rest - paid, coinsurance)
        steps.append(f"Coinsurance {_percent(coinsurance)} of {dollars(rest - paid)}: {dollars(part)}.")
        paid += part
    total = deductible + paid
    return _capped(benefits, total, steps), tuple(steps)


def _deductible(benefits: Benefits, allowed: int, copay: int | None, steps: list[str], *, applies: bool) -> int:
    left = _deductible_left(benefits)
    if not left:
        return 0
    if copay is not None and not applies:
        steps.append("The deductible is not applied to a visit with a copay.")
        return 0
    taken = min(allowed, left)
    steps.append(f"Deductible: {dollars(left)} left, {dollars(taken)} of this session goes to it.")
    return taken


def _deductible_left(benefits: Benefits) -> int | None:
    """The smaller of what is left for the person and for the family; the whole year's where the rest is not stated."""
    left = [
        one.left_cents if one.left_cents is not None else one.total_cents
        for one in (benefits.deductible, benefits.family_deductible)
    ]
    return min((amount for amount in left if amount is not None), default=None)


def _capped(benefits: Benefits, total: int, steps: list[str]) -> int:
    left = [one.left_cents for one in (benefits.out_of_pocket, benefits.family_out_of_pocket)]
    limit = min((amount for amount in left if amount is not None), default=None)
    if limit is None or total <= limit:
        steps.append(f"The patient's share is {dollars(total)}.")
        return total
    steps.append(
        f"Only {dollars(limit)} is left of the out-of-pocket maximum: the patient's share is {dollars(limit)}."
    )
    return limit


def _percent(fraction: Decimal) -> str:
    return f"{(fraction * 100).normalize():f} %"
