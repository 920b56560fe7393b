"""837: what a provider asks to be paid for."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from libs.x12.records.common import (
    Adjustment,
    Amount,
    Contact,
    Envelope,
    Party,
    Reference,
    Segment,
    Source,
    When,
)
from libs.x12.records.drafted import drafted
from libs.x12.records.later import Later, fill_in


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Paperwork that travels apart (PWK)."""

    type: str
    """PWK01, such as OZ support data, B4 referral form."""
    transmission: str = "AA"
    """PWK02: AA on request, BM mail, EL electronic, FX fax."""
    control_number: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Free text for the payer (NTE)."""

    code: str = "ADD"
    text: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What else ailed the patient of an institution (HI ABF)."""

    code: str
    """ICD-10-CM without dots."""
    present_on_admission: str = ""
    """Y yes, N no, U not known, W cannot be told clinically; empty where it need not be said."""
    qualifier: str = "ABF"
    """ABF; BF for ICD-9-CM."""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """What was done in an institution (HI BBR, BBQ)."""

    code: str
    """ICD-10-PCS."""
    day: date
    qualifier: str = "BBR"
    """BBR the principal procedure, BBQ another."""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Something that happened on a day (HI BH)."""

    code: str
    day: date


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceSpan:
    """Something that held over some days (HI BI)."""

    code: str
    start: date
    end: date


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class BillValue:
    """A value of the bill (HI BE)."""

    code: str
    amount_cents: int
    """Many are numbers, not money: 3 days stand as 300."""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition of the bill (HI BG)."""

    code: str


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class LineAdjudication:
    """What a prior payer decided about one line (2430)."""

    payer_id: str
    """SVD01: the NM109 of that payer's 2330B."""
    paid_cents: int
    qualifier: str = "HC"
    procedure: str = ""
    modifiers: tuple[str, ...] = ()
    revenue_code: str = ""
    units: Decimal = Decimal(1)
    bundled_line: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    adjudicated: date | None = None
    """DTP*573, the day of that payer's decision."""
    remaining_cents: int | None = None
    """AMT*EAF."""
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPayer:
    """Another payer of the same claim (2320, 2330A, 2330B): a prior one, or the next."""

    sequence: str
    """SBR01: P primary, S secondary, T tertiary."""
    subscriber: Party
    """2330A, that payer's subscriber."""
    payer: Party
    """2330B; its `id` is what the lines' adjudications name."""
    relationship: str = "18"
    """SBR02 of that coverage."""
    group_number: str = ""
    group_name: str = ""
    insurance_type: str = ""
    filing_code: str = ""
    paid_cents: int | None = None
    """AMT*D; None: that payer has not adjudicated."""
    remaining_cents: int | None = None
    """AMT*EAF, what the patient still owed after it."""
    noncovered_cents: int | None = None
    """AMT*A8."""
    adjustments: tuple[Adjustment, ...] = ()
    """CAS at claim level, as that payer's 835 had them."""
    benefits_assigned: str = "Y"
    patient_signature: str = ""
    release: str = "Y"
    remark_codes: tuple[str, ...] = ()
    """MOA03 to MOA07."""
    claim_number: str = ""
    """REF*F8 in 2330B: that payer's own number of the claim."""
    adjudicated: date | None = None
    """DTP*573 in 2330B, for a decision at claim level."""
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """One service (2400)."""

    number: int = 0
    """LX01; counted by the writer when 0."""
    procedure: str = ""
    charge_cents: int = 0
    units: Decimal = Decimal(1)
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    description: str = ""
    measure: str = "UN"
    """UN units, MJ minutes."""
    place_of_service: str = ""
    """Only when it differs from the claim's."""
    pointers: tuple[int, ...] = (1,)
    """1-based positions in the claim's diagnoses."""
    emergency: str = ""
    revenue_code: str = ""
    """837I: SV201."""
    service_date: date | None = None
    """DTP*472; with `service_end` a range."""
    service_end: date | None = None
    line_control_number: str = ""
    """REF*6R; comes back in the 835, the best match of a line."""
    authorization: str = ""
    """REF*G1 of this line only."""
    note: str = ""
    """NTE*ADD."""
    references: tuple[Reference, ...] = ()
    dates: tuple[When, ...] = ()
    amounts: tuple[Amount, ...] = ()
    rendering: Party | None = None
    supervising: Party | None = None
    referring: tuple[Party, ...] = ()
    ordering: Party | None = None
    facility: Party | None = None
    adjudications: tuple[LineAdjudication, ...] = ()
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Whose coverage it is (2000B, 2010BA)."""

    party: Party
    sequence: str = "P"
    """SBR01: the destination payer is primary P, secondary S, tertiary T."""
    relationship: str = "18"
    """SBR02: 18 the patient is the subscriber; empty when the patient is somebody else (2000C)."""
    group_number: str = ""
    group_name: str = ""
    insurance_type: str = ""
    """SBR05, only when Medicare is secondary."""
    filing_code: str = ""
    """SBR09: CI commercial, BL Blue, HM HMO, MB Medicare B, MC Medicaid, …"""
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The patient who is not the subscriber (2000C, 2010CA)."""

    party: Party
    relationship: str = "19"
    """PAT01: 01 spouse, 19 child, 20 employee, 21 unknown, 53 life partner, G8 other."""
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Later):
    """One claim (2300) with everything that it hangs under."""

    if not TYPE_CHECKING:
        __getattr__ = fill_in

    pcn: str
    """CLM01, our patient control number: at most 20 characters, unique per submission."""
    charge_cents: int
    billing_provider: Party
    subscriber: Subscriber
    payer: Party
    patient: Patient | None = None
    pay_to: Party | None = None
    """2010AB: where the money goes when not to the billing provider's street."""
    pos: str = "11"
    """CLM05-1: place of service (837P) or first two digits of the bill type (837I)."""
    facility_qualifier: str = "B"
    frequency: str = "1"
    """CLM05-3: 1 original, 7 replacement, 8 void."""
    provider_signature: str = "Y"
    assignment: str = "A"
    benefits_assigned: str = "Y"
    release: str = "Y"
    patient_signature: str = ""
    delay_reason: str = ""
    original_reference: str = ""
    """REF*F8, the payer's own number of the claim that this one replaces or voids."""
    authorization: str = ""
    """REF*G1."""
    referral: str = ""
    """REF*9F."""
    references: tuple[Reference, ...] = ()
    dates: tuple[When, ...] = ()
    diagnoses: tuple[str, ...] = ()
    """ICD-10-CM without dots, the principal one first (HI ABK, ABF); of an 837I the principal one alone."""
    present_on_admission: str = ""
    """837I: whether the principal diagnosis was there at the admission (Y, N, U, W)."""
    other_diagnoses: tuple[Diagnosis, ...] = ()
    """837I HI ABF: the others, at most 24."""
    patient_paid_cents: int | None = None
    """AMT*F5."""
    notes: tuple[Note, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    amounts: tuple[Amount, ...] = ()
    rendering: Party | None = None
    supervising: Party | None = None
    referring: tuple[Party, ...] = ()
    facility: Party | None = None
    attending: Party | None = None
    """837I 2310A."""
    operating: Party | None = None
    admission: str = ""
    """837I DTP*435: CCYYMMDDHHMM, or CCYYMMDD with the format D8."""
    admission_format: str = "DT"
    discharge_hour: str = ""
    """837I DTP*096: HHMM."""
    admission_type: str = ""
    """837I CL101."""
    admission_source: str = ""
    patient_status: str = ""
    """837I CL103."""
    admitting_diagnosis: str = ""
    """837I HI ABJ."""
    related_group: str = ""
    """837I HI DR."""
    principal_procedure: Procedure | None = None
    """837I HI BBR."""
    other_procedures: tuple[Procedure, ...] = ()
    occurrence_spans: tuple[OccurrenceSpan, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    values: tuple[BillValue, ...] = ()
    conditions: tuple[Condition, ...] = ()
    other_payers: tuple[OtherPayer, ...] = ()
    lines: tuple[ServiceLine, ...] = ()
    extra: tuple[Segment, ...] = ()
    defects: tuple[str, ...] = ()
    """Values that could not be read as what they must be, and so stand empty or zero above."""
    source: Source | None = field(default=None, init=False, compare=False, repr=False)
    """Raw bytes and their place, when it was read from a file."""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFile:
    """An 837 transaction."""

    envelope: Envelope
    submitter: Party
    """1000A; its id is the electronic transmitter number (46) and it has a contact."""
    receiver: Party
    claims: tuple[Claim, ...] = ()
    reference: str = ""
    """BHT03, the batch's own number."""
    created: datetime | None = None
    """When it was made (BHT04, BHT05); the interchange's own time when None."""
    purpose: str = "00"
    kind: str = "CH"
    """BHT06: CH charges, RP encounter, 31 subrogation."""
    set: str = "837P"
    """837P or 837I."""
    extra: tuple[Segment, ...] = ()


__all__ = [
    "Attachment", "Claim", "ClaimFile", "Contact", "Diagnosis", "LineAdjudication", "Note", "OtherPayer",
    "Patient", "ServiceLine", "Subscriber",
]  # fmt: skip
