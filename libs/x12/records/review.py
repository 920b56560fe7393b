"""278: may we treat, how often and until when."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from libs.x12.records.common import (
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
from libs.x12.records.eligibility import Delivery


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the reviewer decided (HCR)."""

    action: str
    """HCR01: A1 certified, A2 partly, A3 not, A4 pended, A6 modified, C cancelled, CT contact the payer,
    NA not required."""
    authorization: str = ""
    """HCR02, the certification number."""
    reason: str = ""
    second_opinion: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewService:
    """One service of an event (2000F)."""

    qualifier: str = "HC"
    procedure: str = ""
    modifiers: tuple[str, ...] = ()
    revenue_code: str = ""
    """Of an institutional service (SV2)."""
    charge_cents: int | None = None
    measure: str = "UN"
    units: Decimal | None = None
    service_date: date | None = None
    service_end: date | None = None
    decision: Decision | None = None
    rejections: tuple[Rejection, ...] = ()
    traces: tuple[Trace, ...] = ()
    references: tuple[Reference, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    messages: tuple[str, ...] = ()
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One patient event to certify, or the decision about it (2000E)."""

    reviewer: Party
    """2010A, the utilisation management organisation."""
    requester: Party | None = None
    subscriber: Party | None = None
    dependent: Party | None = None
    traces: tuple[Trace, ...] = ()
    request_category: str = ""
    """UM01: HS health services, AR admission, SC referral."""
    certification_type: str = ""
    """UM02: I initial, R renewal, 4 extension, S revised, 3 cancel, 1 and 2 appeal."""
    service_type: str = ""
    """UM03: MH, A4, AI, …"""
    pos: str = ""
    facility_qualifier: str = "B"
    level_of_service: str = ""
    decision: Decision | None = None
    rejections: tuple[Rejection, ...] = ()
    diagnoses: tuple[str, ...] = ()
    service_date: date | None = None
    """The event's day (DTP); with `service_end` a range."""
    service_end: date | None = None
    date_qualifier: str = "AAH"
    """AAH event, 472 service, 435 admission."""
    dates: tuple[When, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    previous_authorization: str = ""
    """REF*BB."""
    pend_id: str = ""
    """REF*NT."""
    references: tuple[Reference, ...] = ()
    messages: tuple[str, ...] = ()
    providers: tuple[Party, ...] = ()
    services: tuple[ReviewService, ...] = ()
    extra: tuple[Segment, ...] = ()
    defects: tuple[str, ...] = ()
    source: Source | None = field(default=None, init=False, compare=False, repr=False)


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFile:
    """A 278 transaction: request, response, or inquiry and its answer."""

    envelope: Envelope
    reviews: tuple[Review, ...]
    set: str = "278"
    """278 request or 278R response (X217); 278I inquiry or 278IR its response (X215)."""
    purpose: str = "13"
    """BHT02: 13 request, 11 response, 28 inquiry."""
    reference: str = ""
    created: datetime | None = None
    """When it was made (BHT04, BHT05); the interchange's own time when None."""
    kind: str = ""
    """BHT06, such as 18 a final response, 19 more to come."""
    extra: tuple[Segment, ...] = ()
