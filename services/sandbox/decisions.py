"""What adjudication works with: what the payer knows, and what it decides for each line."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from services.sandbox.accumulators import Effect, Member
from services.sandbox.claims837 import Adjustment, Claim, Line
from services.sandbox.plans import Benefits, Payer, Plan, Reason, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What the payer has authorized."""

    number: str
    codes: tuple[str, ...]
    units: int
    valid_from: date
    valid_to: date
    eap: bool = False

    def covers(self, line: Line) -> bool:
        return self.valid_from <= line.date <= self.valid_to and (not self.codes or line.code in self.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rostered:
    """A clinician whom the payer has loaded for a billing provider, with the taxonomy that it holds."""

    npi: str
    billing_npi: str
    effective_from: date
    effective_to: date | None = None
    taxonomy: str = ""

    def on(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the payer knows when it takes up a claim."""

    member: Member
    received: date
    effects: tuple[Effect, ...] = ()
    """Lines that still stand, of the member and of the family."""
    roster: tuple[Rostered, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    forced: Reason | None = None
    """A scenario's denial."""
    fee_percent: Decimal = Decimal(100)
    """A scenario's mistake in pricing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDecision:
    """One line as the 835 will tell it: charge = paid + the sum of the adjustments."""

    line: Line
    paid_cents: int
    allowed_cents: int = 0
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()
    effect: Effect | None = None

    def __post_init__(self) -> None:
        adjusted = sum(adjustment.cents for adjustment in self.adjustments)
        assert self.line.charge_cents == self.paid_cents + adjusted, "a line's adjustments explain what was not paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A claim as the 835 will tell it."""

    status: str
    lines: tuple[LineDecision, ...]
    passed_on_to: str = ""
    """The payer that has the claim next, where this one has passed it on."""

    @property
    def charge_cents(self) -> int:
        return sum(decided.line.charge_cents for decided in self.lines)

    @property
    def paid_cents(self) -> int:
        return sum(line.paid_cents for line in self.lines)

    @property
    def patient_cents(self) -> int:
        return sum(a.cents for line in self.lines for a in line.adjustments if a.group == "PR")

    @property
    def denied(self) -> bool:
        return all(line.effect is None for line in self.lines)


@dataclass(slots=True)
class Case:
    """One claim on the adjudicator's desk; `effects` grows line by line."""

    claim: Claim
    icn: str
    payer: Payer
    plan: Plan
    rules: Rules
    benefits: Benefits
    standing: Standing
    effects: list[Effect] = field(default_factory=list)

    def rostered(self, line: Line) -> Rostered | None:
        npi = self.claim.rendering_npi(line)
        return next((row for row in self.standing.roster if row.npi == npi and row.on(line.date)), None)

    def taxonomy(self, line: Line) -> str:
        """The payer believes its own file before it believes the claim."""
        held = self.rostered(line)
        return (held.taxonomy if held else "") or self.claim.rendering.taxonomy

    def authorization(self, line: Line) -> Authorization | None:
        number = line.authorization or self.claim.authorization
        return next((a for a in self.standing.authorizations if a.number == number), None)

    def already_seen(self, line: Line) -> bool:
        """True when the same clinician's visit of the day has been allowed before: one visit, one copay."""
        npi = self.claim.rendering_npi(line)
        return any(
            e.visit and (e.service_date, e.rendering_npi) == (line.date, npi)
            for e in self.effects
            if e.member_id == self.standing.member.member_id
        )

    def is_eap(self, line: Line) -> bool:
        return self.plan.eap is not None and self.plan.eap.modifier in line.modifiers
