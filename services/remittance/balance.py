"""The three balances of an 835: line, claim, transaction with its provider adjustments; each difference is named."""

from collections.abc import Iterable
from dataclasses import dataclass

from libs.common.money import dollars
from services.remittance.domain.era import EraClaim, EraLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What does not add up: by how much, and in words that name the amounts and nobody."""

    level: str
    cents: int
    words: str


def line_difference(line: EraLine) -> int:
    """SVC02 less its adjustments less SVC03."""
    return line.charge_cents - sum(a.amount_cents for a in line.adjustments) - line.paid_cents


def claim_differences(claim: EraClaim) -> list[Difference]:
    """Everything in the claim that does not add up; empty when it balances.

    A line: SVC02 - CAS = SVC03. The claim: CLP03 - all CAS = CLP04, and the lines' charges are CLP03. CLP05 is
    informational.
    """
    found = [
        Difference(
            level="line",
            cents=difference,
            words=f"line {n}: charge {dollars(line.charge_cents)} less adjustments is not "
            f"paid {dollars(line.paid_cents)}, it differs by {dollars(difference)}",
        )
        for n, line in enumerate(claim.lines, start=1)
        if (difference := line_difference(line))
    ]
    found += [
        Difference(level="claim", cents=0, words=f"a value of {defect} cannot be read") for defect in claim.defects
    ]
    adjusted = sum(a.amount_cents for a in claim.adjustments)
    adjusted += sum(a.amount_cents for line in claim.lines for a in line.adjustments)
    if difference := claim.charge_cents - adjusted - claim.paid_cents:
        found.append(
            Difference(
                level="claim",
                cents=difference,
                words=f"charge {dollars(claim.charge_cents)} less adjustments {dollars(adjusted)} is not "
                f"paid {dollars(claim.paid_cents)}, it differs by {dollars(difference)}",
            )
        )
    charges = sum(line.charge_cents for line in claim.lines)
    if claim.lines and charges != claim.charge_cents:
        found.append(
            Difference(
                level="claim",
                cents=claim.charge_cents - charges,
                words=f"the lines' charges are {dollars(charges)}, the claim's {dollars(claim.charge_cents)}",
            )
        )
    return found


def transaction_difference(*, amount_cents: int, paid_cents: Iterable[int], provider_adjustments: Iterable[int]) -> int:
    """BPR02 less (the claims' payments less the provider adjustments); 0 when the transaction balances."""
    return amount_cents - (sum(paid_cents) - sum(provider_adjustments))
