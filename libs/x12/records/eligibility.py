"""270 and 271: is the patient covered, and what would they owe."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from libs.x12.records.common import (
    Contact,
    Envelope,
    Party,
    Reference,
    Rejection,
    Segment,
    Source,
    Trace,
    When,
)
from libs.x12.records.drafted import drafted


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityQuestion:
    """What is asked about one person (2000C, or 2000D for a dependent without an own id)."""

    payer: Party
    """2100A, information source."""
    provider: Party
    """2100B, information receiver."""
    subscriber: Party
    dependent: Party | None = None
    relationship: str = ""
    """INS02 of the dependent."""
    traces: tuple[Trace, ...] = ()
    service_date: date | None = None
    """DTP*291; with `service_end` a range."""
    service_end: date | None = None
    dates: tuple[When, ...] = ()
    service_types: tuple[str, ...] = ()
    """EQ01: 30 plan, MH mental health, … sent as repetitions of one EQ."""
    procedure: str = ""
    """EQ02, where the payer supports it (HC and the code)."""
    extra: tuple[Segment, ...] = ()
    defects: tuple[str, ...] = ()
    source: Source | None = field(default=None, init=False, compare=False, repr=False)


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityInquiry:
    """A 270 transaction."""

    envelope: Envelope
    questions: tuple[EligibilityQuestion, ...]
    reference: str = ""
    """BHT03."""
    purpose: str = "13"
    created: datetime | None = None
    """When it was made (BHT04, BHT05); the interchange's own time when None."""
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How often, how much, over what period (HSD): ``VS 30 per service year``."""

    quantity_qualifier: str = ""
    quantity: Decimal | None = None
    measure: str = ""
    frequency: Decimal | None = None
    period: str = ""
    periods: str = ""
    calendar_pattern: str = ""
    time_pattern: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One statement about coverage (EB and what belongs to it)."""

    code: str
    """EB01: 1 active, 6 inactive, A coinsurance, B copay, C deductible, F limitation, G out-of-pocket,
    R other payer, U contact another entity (carve-out), …"""
    level: str = ""
    """EB02: IND, FAM, …"""
    service_types: tuple[str, ...] = ()
    plan_type: str = ""
    plan_name: str = ""
    period: str = ""
    """EB06: 23 calendar year, 27 visit, 29 remaining, …"""
    amount_cents: int | None = None
    """EB07; 0 is an answer, None is none."""
    percent: Decimal | None = None
    """EB08, the patient's share as a fraction: 0.2 is 20 %."""
    quantity_qualifier: str = ""
    quantity: Decimal | None = None
    authorization_required: str = ""
    """EB11: Y, N, or U unknown (which is not no)."""
    in_network: str = ""
    """EB12: Y, N, U, W both."""
    procedure_qualifier: str = ""
    procedure: str = ""
    modifiers: tuple[str, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[When, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    messages: tuple[str, ...] = ()
    """MSG; must be shown, since it may override the rest."""
    places: tuple[str, ...] = ()
    """III*ZZ, places of service it holds for."""
    entities: tuple[Party, ...] = ()
    """2120: who else pays or administers (the carve-out's contact with EB*U)."""
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityAnswer:
    """What the payer says about one person, or why it does not."""

    payer: Party
    provider: Party | None = None
    subscriber: Party | None = None
    dependent: Party | None = None
    relationship: str = ""
    """INS02: 18 self, …"""
    traces: tuple[Trace, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    """AAA of any level, each with its loop in `level`."""
    dates: tuple[When, ...] = ()
    """DTP: 346 plan begin, 347 plan end, 356 eligibility begin, 291 plan, …"""
    benefits: tuple[Benefit, ...] = ()
    extra: tuple[Segment, ...] = ()
    defects: tuple[str, ...] = ()
    source: Source | None = field(default=None, init=False, compare=False, repr=False)


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityResponse:
    """A 271 transaction."""

    envelope: Envelope
    answers: tuple[EligibilityAnswer, ...]
    reference: str = ""
    """BHT03, the inquiry's own."""
    purpose: str = "11"
    created: datetime | None = None
    """When it was made (BHT04, BHT05); the interchange's own time when None."""
    extra: tuple[Segment, ...] = ()


__all__ = [
    "Benefit", "Contact", "Delivery", "EligibilityAnswer", "EligibilityInquiry", "EligibilityQuestion",
    "EligibilityResponse",
]  # fmt: skip
