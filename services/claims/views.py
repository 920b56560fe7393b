"""What callers send to claims and see of it: strict in, plain out. No field takes the text of a note."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$")]
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f*~:^|<>]*$")]
Npi = Annotated[str, Field(pattern=r"^[12][0-9]{9}$")]
ProcedureCode = Annotated[str, Field(pattern=r"^[0-9A-Z][0-9]{3}[0-9A-Z]$")]
ModifierCode = Annotated[str, Field(pattern=r"^[0-9A-Z]{2}$")]
Diagnosis = Annotated[str, Field(pattern=r"^[A-TV-Z][0-9][0-9AB](\.?[0-9A-Z]{1,4})?$")]
CentsIn = Annotated[int, Field(ge=0, le=10_000_000)]
Label = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.:/ -]*$")]


class Strict(BaseModel):
    """Nothing that we do not ask for is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Itself: what nobody changes may be a default of many."""
        return self


class Source(Strict):
    system: Label
    event_id: Label | None = None
    version: int | None = None


class AddressIn(Strict):
    line1: Name
    line2: Name | None = None
    city: Name
    state: str = Field(pattern=r"^[A-Z]{2}$")
    zip: str = Field(pattern=r"^[0-9]{5}([0-9]{4})?$")


class PatientIn(Strict):
    external_id: Label
    first_name: Name
    last_name: Name
    middle_name: Name | None = None
    dob: date
    sex: Literal["F", "M", "U"]
    address: AddressIn | None = None


class PayerIn(Strict):
    id: str = Field(pattern=r"^pay_[0-9a-z]{1,40}$")
    raw_id: Label | None = None


class SubscriberIn(Strict):
    first_name: Name
    last_name: Name
    dob: date


class CoverageIn(Strict):
    rank: int = Field(ge=1, le=9)
    payer: PayerIn
    member_id: str = Field(pattern=r"^[A-Za-z0-9-]{2,40}$")
    relationship: Literal["self", "spouse", "child", "other"] = "self"
    group_number: Label | None = None
    subscriber: SubscriberIn | None = Field(None, description="Where the patient is not the subscriber.")


class PatientLocation(Strict):
    state: str = Field(pattern=r"^[A-Z]{2}$")
    home: bool | None = None


class GroupIn(Strict):
    size: int = Field(ge=1, le=50)


class ServiceIn(Strict):
    date: date
    start: AwareDatetime | None = None
    stop: AwareDatetime | None = None
    place_of_service: str = Field(pattern=r"^[0-9]{2}$")
    modality: Literal["in_person", "video", "audio"] = "in_person"
    kind: (
        Literal[
            "individual",
            "crisis",
            "family_with_patient",
            "family_without_patient",
            "intake",
            "intake_medical",
            "group",
            "multi_family_group",
            "units",
            "medical_visit",
        ]
        | None
    ) = Field(None, description="What the session was; needed where the EHR sends no lines.")
    psychotherapy_minutes: int | None = Field(None, ge=0, le=1440, description="Documented therapy minutes.")
    minutes: int | None = Field(None, ge=0, le=1440, description="Minutes of a service that is billed by time.")
    service_code: ProcedureCode | None = Field(None, description="The code of a 15-minute service (`units`).")
    em: ProcedureCode | None = Field(None, description="The medical visit beside the therapy, at its level.")
    interactive_complexity: bool = False
    group: GroupIn | None = None
    patient_location: PatientLocation | None = None

    @model_validator(mode="after")
    def _stops_after_it_starts(self) -> Self:
        if self.start is not None and self.stop is not None and self.stop <= self.start:
            raise ValueError("A session stops after it starts.")
        return self


class RenderingIn(Strict):
    npi: Npi
    taxonomy: str | None = Field(None, pattern=r"^[0-9A-Z]{10}$")
    license_state: str | None = Field(None, pattern=r"^[A-Z]{2}$")


class BillingIn(Strict):
    npi: Npi
    tin_type: Literal["EIN", "SSN"] = "EIN"


class SupervisingIn(Strict):
    npi: Npi


class ProvidersIn(Strict):
    rendering: RenderingIn
    supervising: SupervisingIn | None = None
    billing: BillingIn | None = None
    facility_id: str | None = Field(None, pattern=r"^[a-z]{2,4}_[0-9a-z]{1,48}$")


class DiagnosisIn(Strict):
    rank: int = Field(ge=1, le=12)
    system: Literal["icd10cm"] = "icd10cm"
    code: Diagnosis


class LineIn(Strict):
    line_ref: Label | None = None
    code: ProcedureCode
    modifiers: list[ModifierCode] = Field(default_factory=list, max_length=4)
    units: int = Field(1, ge=1, le=999)
    charge_cents: CentsIn | None = Field(None, description="Left out: the practice's charge master says it.")
    dx_pointers: list[Annotated[int, Field(ge=1, le=12)]] = Field(default_factory=list, max_length=4)
    minutes: int | None = Field(None, ge=0, le=1440)
    start_stop: list[AwareDatetime] | None = Field(None, min_length=2, max_length=2)


class AuthorizationIn(Strict):
    number: str | None = Field(None, pattern=r"^[A-Za-z0-9-]{1,30}$")
    external_id: Label | None = None


class PlanIn(Strict):
    id: Label | None = None
    effective: date
    review_due: date | None = None
    client_signed: bool = False


class Attests(Strict):
    time_documented: bool = False
    interventions: bool = False
    progress: bool = False
    necessity: bool = False
    telehealth_consent: bool | None = None
    risk_assessed: bool | None = None


class DocumentationIn(Strict):
    """Structured attestations about the note; its text is never asked for, stored or sent."""

    note_id: Label | None = None
    note_type: Label | None = None
    signed_at: AwareDatetime | None = None
    signer_npi: Npi | None = None
    cosigned: bool = False
    treatment_plan: PlanIn | None = None
    attests: Attests = Attests()


class CollectedIn(Strict):
    kind: Literal["copay", "deductible", "coinsurance", "prepayment", "other"]
    amount_cents: CentsIn
    method: Literal["card", "cash", "check", "ach", "other"] = "other"
    ref: Label | None = None


class FlagsIn(Strict):
    billable: bool = True
    self_pay_restriction: bool = False
    eap: bool = False
    court_ordered: bool = False


class SensitivityIn(Strict):
    part2_program: bool = False
    labels: list[Label] = Field(default_factory=list, max_length=20)
    consent_ids: list[Label] = Field(default_factory=list, max_length=20)


EXAMPLE: dict[str, Any] = {
    "external_id": "ehr-77123",
    "source": {"system": "acme-ehr", "event_id": "e-991", "version": 3},
    "practice_id": "prc_01",
    "patient": {
        "external_id": "MRN-5521",
        "first_name": "Jo",
        "last_name": "Rivera",
        "dob": "1990-04-12",
        "sex": "F",
        "address": {"line1": "1 Main", "city": "Austin", "state": "TX", "zip": "787010001"},
    },
    "coverages": [{"rank": 1, "payer": {"id": "pay_harborbh"}, "member_id": "U123", "group_number": "G9"}],
    "service": {
        "date": "2026-10-05",
        "start": "2026-10-05T15:00:00-05:00",
        "stop": "2026-10-05T15:44:00-05:00",
        "place_of_service": "10",
        "modality": "video",
        "kind": "individual",
        "psychotherapy_minutes": 41,
        "patient_location": {"state": "TX", "home": True},
    },
    "providers": {"rendering": {"npi": "1999999984", "taxonomy": "1041C0700X"}},
    "diagnoses": [{"rank": 1, "code": "F33.1"}, {"rank": 2, "code": "F41.1"}],
    "lines": [{"line_ref": "1", "code": "90834", "modifiers": ["95"], "charge_cents": 17500, "dx_pointers": [1, 2]}],
    "documentation": {
        "note_id": "n-1",
        "signed_at": "2026-10-05T17:10:00-05:00",
        "signer_npi": "1999999984",
        "treatment_plan": {"id": "tp-3", "effective": "2026-08-01", "review_due": "2026-10-30", "client_signed": True},
        "attests": {"time_documented": True, "interventions": True, "progress": True, "necessity": True},
    },
    "collected_at_visit": [{"kind": "copay", "amount_cents": 2500, "method": "card", "ref": "pi_1"}],
}


class EncounterIn(Strict):
    """A session as the EHR documents it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, json_schema_extra={"examples": [EXAMPLE]}
    )

    external_id: Label = Field(min_length=1, description="The EHR's own id, unique in the practice.")
    source: Source | None = None
    practice_id: str = Field(pattern=r"^[a-z]{2,4}_[0-9a-z]{1,48}$")
    patient: PatientIn
    coverages: list[CoverageIn] = Field(default_factory=list, max_length=4)
    service: ServiceIn
    providers: ProvidersIn
    diagnoses: list[DiagnosisIn] = Field(min_length=1, max_length=12)
    lines: list[LineIn] = Field(
        default_factory=list, max_length=20, description="Left out: minutes and kind choose the codes."
    )
    authorization: AuthorizationIn | None = None
    documentation: DocumentationIn = DocumentationIn()
    collected_at_visit: list[CollectedIn] = Field(default_factory=list, max_length=10)
    billing_flags: FlagsIn = FlagsIn()
    sensitivity: SensitivityIn = SensitivityIn()
    tags: list[Label] = Field(default_factory=list, max_length=20)
    metadata: dict[Label, Label] = Field(default_factory=dict, max_length=20)
    allow_duplicate_reason: Label | None = Field(
        None, description="Why this is not the same session as one that is already here."
    )


class CheckResult(BaseModel):
    rule_id: str
    severity: str = Field(description="error, warning or fixed.")
    code: str
    message: str
    pointer: str | None = None
    suggestion: str | None = None


class Checks(BaseModel):
    errors: int
    warnings: int
    results: list[CheckResult]


class EncounterView(BaseModel):
    """An encounter as it stands."""

    id: str
    external_id: str
    practice_id: str
    patient_id: str
    service_date: date
    status: str = Field(description="Of its claim; not_billable or self_pay where it has none.")
    revision: int
    version: int
    claims: list[str]
    checks: Checks
    links: dict[str, str]
    created_at: datetime
    updated_at: datetime


class EncounterDetailView(EncounterView):
    """An encounter with everything that the EHR sent."""

    detail: dict[str, Any]


class BatchItem(BaseModel):
    """What became of one encounter of a batch."""

    index: int
    external_id: str | None
    status: int = Field(description="As the single request would have answered: 201, 200, 409 or 422.")
    encounter: EncounterView | None = None
    problem: dict[str, Any] | None = None


class BatchView(BaseModel):
    accepted: int
    unchanged: int
    refused: int
    data: list[BatchItem]


class TimelineEntry(BaseModel):
    at: datetime
    what: str
    status: str | None = None
    reasons: list[str] = []
    words: str | None = None
    actor: str | None = None
    subject_id: str


class Timeline(BaseModel):
    data: list[TimelineEntry]
