"""A service line as its charge, the decisions of its payers, and of people: a pure account of where it stands.

Decisions are taken by the payers' rank, and each payer's in the order in which it made them (remittance, then
position), never in the order in which they reached us, so every order of arrival ends in the same figures. A later
payer decides upon what the earlier one has decided, even where its money is dated first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.remittance.domain.ledger import Buckets

Order = tuple[str, ...]
"""Sorts decisions as payers made them: payment date, trace, place in the file."""


class Resolution(StrEnum):
    """What a person, or the payer on appeal, decided about a denial."""

    RESUBMITTED = "resubmitted"
    APPEALED = "appealed"
    OVERTURNED = "overturned"
    UPHELD = "upheld"
    WRITTEN_OFF = "written_off"
    BILLED_TO_PATIENT = "billed_to_patient"


BACK_IN_FLIGHT = frozenset({Resolution.RESUBMITTED, Resolution.APPEALED, Resolution.OVERTURNED})
"""The denied money is asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one remittance said of one line, classified; what nobody could classify is simply not here.

    `resolution` is the last word on its denial. `resent`: the claim went to this payer again after it.
    `awaits_next`: another payer is to decide about the patient's share.
    """

    id: str
    order: Order
    rank: int = 1
    paid: int = 0
    contractual: int = 0
    patient: int = 0
    denied: int = 0
    withheld: int = 0
    resolution: str | None = None
    resent: bool = False
    awaits_next: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a decision could take of the line when its turn came."""

    paid: int
    contractual: int
    patient: int
    denied: int
    withheld: int


@dataclass(slots=True)
class _Part:
    """Money that a decision gave to the patient or denied, as far as no later decision took it."""

    decision: Decision
    amount: int
    denied: bool

    @property
    def is_patients(self) -> bool:
        """The payer, or a person after it, left it to the patient."""
        return not self.denied or self.decision.resolution == Resolution.BILLED_TO_PATIENT

    @property
    def awaits_next(self) -> bool:
        return self.is_patients and self.decision.awaits_next

    @property
    def in_flight(self) -> bool:
        """Asked for again, or waiting for the next payer."""
        if self.is_patients:
            return self.awaits_next
        return self.decision.resolution in BACK_IN_FLIGHT or (self.decision.resolution is None and self.decision.resent)

    @property
    def bucket(self) -> str:
        if self.in_flight:
            return "in_flight"
        if self.is_patients:
            return "responsibility"
        return "written_off" if self.decision.resolution == Resolution.WRITTEN_OFF else "denied_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a line stands by its payers; `responsibility` is the patient's, paid or not."""

    billed: int
    credits: int = 0
    payer_paid: int = 0
    contractual: int = 0
    written_off: int = 0
    withheld: int = 0
    responsibility: int = 0
    denied_open: int = 0
    in_flight: int = 0
    awaits_next: int = 0
    """What of `in_flight` waits for the next payer."""
    shares: dict[str, Share] = field(default_factory=dict)
    """By decision."""

    def buckets(self, *, patient_paid: int = 0, patient_written_off: int = 0) -> Buckets:
        """The line's buckets once the patient's money and what was let go of it are counted."""
        assert 0 <= patient_paid + patient_written_off <= self.responsibility, "more than the patient was asked for"
        return Buckets(
            billed=self.billed,
            credits=self.credits,
            payer_paid=self.payer_paid,
            patient_paid=patient_paid,
            contractual=self.contractual,
            written_off=self.written_off + patient_written_off,
            withheld=self.withheld,
            patient=self.responsibility - patient_paid - patient_written_off,
            denied_open=self.denied_open,
            in_flight=self.in_flight,
        )


@dataclass(slots=True)
class _Fold:
    """The account while decisions are taken in their order."""

    open: int
    parts: list[_Part] = field(default_factory=list)
    credits: int = 0
    payer_paid: int = 0
    contractual: int = 0
    withheld: int = 0

    def take(self, amount: int, decision: Decision, *, decided_again: bool = True) -> int:
        """Up to `amount` of what is still to be decided.

        Beside what nobody has decided, a payer decides again about what was denied, and a later payer about what an
        earlier one left to the patient. Where not `decided_again`, what people have settled stays settled.
        """
        wanted = left = max(amount, 0)
        got = min(self.open, left)
        self.open -= got
        left -= got
        for part in self.parts:
            again = part.in_flight or decided_again if part.denied else decision.rank > part.decision.rank
            if again and left:
                got = min(part.amount, left)
                part.amount -= got
                left -= got
        return wanted - left

    def decide(self, decision: Decision) -> Share:
        """Cash first, then what the payer names; contractual last, so that it takes only what is left."""
        paid = self.take(decision.paid, decision)
        self.payer_paid += decision.paid
        self.credits += decision.paid - paid
        withheld = self.take(decision.withheld, decision)
        patient = self.take(decision.patient, decision)
        denied = self.take(decision.denied, decision, decided_again=False)
        contractual = self.take(decision.contractual, decision)
        self.withheld += withheld
        self.contractual += contractual
        self.parts += [
            _Part(decision, amount, denied=kind) for amount, kind in ((patient, False), (denied, True)) if amount
        ]
        return Share(paid=decision.paid, contractual=contractual, patient=patient, denied=denied, withheld=withheld)


def stand(billed: int, decisions: Sequence[Decision], returned: int = 0) -> Standing:
    """Where a line of that charge stands after these decisions, reversed ones left out, in whatever order given.

    `returned`: so much of what was withheld the payer has paid since; never more counts than is withheld.
    """
    assert all(decision.paid >= 0 for decision in decisions), "a reversal removes its original, it is no decision"
    fold = _Fold(open=billed)
    shares = {
        decision.id: fold.decide(decision) for decision in sorted(decisions, key=lambda d: (d.rank, d.order, d.id))
    }
    returned = min(returned, fold.withheld)
    sums = {"responsibility": 0, "written_off": 0, "denied_open": 0, "in_flight": fold.open}
    for part in fold.parts:
        sums[part.bucket] += part.amount
    return Standing(
        billed=billed,
        credits=fold.credits,
        payer_paid=fold.payer_paid + returned,
        contractual=fold.contractual,
        withheld=fold.withheld - returned,
        awaits_next=sum(part.amount for part in fold.parts if part.awaits_next),
        shares=shares,
        **sums,
    )
