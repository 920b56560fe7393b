"""What every transaction set shares: envelope, parties, dates, references, amounts."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from libs.x12.records.drafted import drafted

#: One segment as its elements: ``("REF", "F8", "ICN100")``; components and repetitions stay as text.
Segment = tuple[str, ...]


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Delimiters:
    """The four characters that an interchange's ISA announces; the terminator may carry a line break."""

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    segment: str = "~"
    line_break: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who sends what to whom under which numbers (ISA, GS, ST)."""

    sender_id: str
    receiver_id: str
    control_number: int = 1
    """ISA13; unique per submitter and receiver over time."""
    created: datetime = datetime(2000, 1, 1)  # noqa: DTZ001 - X12 times have no zone
    """ISA09/10 and GS04/05, local to the sender, so without a zone."""
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    usage: str = "P"
    """ISA15: P production, T test."""
    acknowledgment_requested: bool = False
    group_sender_id: str = ""
    """GS02; the sender's id when empty."""
    group_receiver_id: str = ""
    group_control_number: int = 0
    """GS06; the interchange's number when 0."""
    transaction_control: str = "0001"
    """ST02 of the (first) transaction."""
    version: str = ""
    """GS08 and ST03; the set's own guide when empty."""
    delimiters: Delimiters = Delimiters()

    @property
    def counts_as(self) -> str:
        """T where the interchange says that it is a test; P where it does not, whatever else it says."""
        return "T" if self.usage == "T" else "P"


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address (N3, N4)."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    subdivision: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person or desk and how to reach it (PER)."""

    function: str = "IC"
    name: str = ""
    phone: str = ""
    extension: str = ""
    fax: str = ""
    email: str = ""
    url: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A number somebody knows the thing by (REF): qualifier such as ``F8``, value, description."""

    qualifier: str
    value: str = ""
    description: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A dated fact (DTP, DTM): qualifier such as ``472``; `end` for a range (RD8)."""

    qualifier: str
    start: date
    end: date | None = None


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A supplemental amount (AMT); informational, never part of a balance unless a rule says so."""

    qualifier: str
    amount_cents: int


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A supplemental quantity (QTY)."""

    qualifier: str
    quantity: Decimal


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A number that the asker chose and the answerer returns (TRN)."""

    kind: str = "1"
    """TRN01: 1 current transaction, 2 referenced transaction."""
    number: str = ""
    originator: str = ""
    division: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A person or organisation in its loop: NM1 or N1 with N3, N4, PER, REF, PRV and DMG."""

    name: str = ""
    """Organisation's name, or a person's last name."""
    first_name: str = ""
    middle_name: str = ""
    suffix: str = ""
    person: bool = False
    id_qualifier: str = ""
    """``XX`` NPI, ``MI`` member id, ``PI`` payer id, ``46`` electronic transmitter id, …"""
    id: str = ""
    code: str = ""
    """NM101/N101 where the guide leaves a choice (the role is otherwise the field's own)."""
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    references: tuple[Reference, ...] = ()
    tax_id: str = ""
    """REF*EI (employer id) of a billing provider."""
    taxonomy: str = ""
    """PRV03."""
    provider_code: str = ""
    """PRV01 where the guide leaves a choice (the spec's default when empty)."""
    birth_date: date | None = None
    gender: str = ""
    extra: tuple[Segment, ...] = ()
    """Segments of the loop that have no field of their own, in the order of the file."""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """One reason why paid differs from charged (a triplet of CAS); positive reduces the payment."""

    group: str
    """CO contractual, PR patient, OA other, PI payer-initiated."""
    reason: str
    """Claim adjustment reason code (CARC)."""
    amount_cents: int
    quantity: Decimal | None = None


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why a request could not be answered (AAA)."""

    valid: str = "N"
    """AAA01: N the request is not valid, Y it is, and the answerer could not serve it."""
    reason: str = ""
    """AAA03, such as 42 (cannot respond now), 72 (member id), 75 (subscriber not found)."""
    follow_up: str = ""
    """AAA04: C correct and resend, N do not resend, P/R/S/W/X/Y as the guide says."""
    level: str = ""
    """The loop it stood in (2000A, 2100B, 2100C, …); empty when building: the loop of the field."""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a record stood in the file: its raw bytes and their span."""

    raw: bytes = field(repr=False)
    start: int
    """Byte offset of its first segment in the file."""
    end: int
    """Byte offset after its last terminator."""
    delimiters: Delimiters = Delimiters()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Every segment of the record, those without a field of their own included."""
        pieces = self.raw.decode("latin-1").split(self.delimiters.segment)
        return tuple(tuple(piece.strip(" \t\r\n").split(self.delimiters.element)) for piece in pieces if piece.strip())


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTransaction:
    """A transaction of a set that has no specification here (such as 997): its segments as they stand."""

    envelope: Envelope
    set: str
    segments: tuple[Segment, ...] = ()
