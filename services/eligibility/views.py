"""What callers send and get: patients, coverages, checks, authorizations, fee schedules."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from libs.common.fields import PayerId, PostalAddress
from services.eligibility.domain import Status

Name = Annotated[str, Field(min_length=1, max_length=60)]
Code = Annotated[str, Field(pattern=r"^[0-9A-Z]{5}$")]
Modifier = Annotated[str, Field(pattern=r"^[0-9A-Z]{2}$")]
Npi = Annotated[str, Field(pattern=r"^[0-9]{10}$")]
Cents = Annotated[int, Field(ge=0)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PatientBody(Body):
    """A patient of one practice; `external_id` is the EHR's number, and decides our id."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "practice_id": "prc_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f",
                    "external_id": "MRN-5521",
                    "first_name": "Jo",
                    "last_name": "Rivera",
                    "dob": "1990-04-12",
                    "sex": "F",
                    "address": {"line1": "1 Main", "city": "Austin", "state": "TX", "zip": "787010001"},
                }
            ]
        },
    )

    practice_id: str
    external_id: Annotated[str, Field(min_length=1, max_length=64)]
    first_name: Annotated[str, Field(min_length=1, max_length=35)]
    last_name: Name
    middle_name: Annotated[str, Field(max_length=25)] | None = None
    dob: date
    sex: Literal["F", "M", "U"]
    address: PostalAddress | None = None


class PatientPatch(Body):
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    dob: date | None = None
    sex: str | None = None
    address: dict[str, Any] | None = None


class CoverageFields(Body):
    """A coverage as the card says it; both dates inclusive, `rank` 1 is primary."""

    payer_id: PayerId
    rank: Annotated[int, Field(ge=1, le=9)] = 1
    member_id: Annotated[str, Field(min_length=2, max_length=80)]
    group_number: Annotated[str, Field(max_length=50)] | None = None
    relationship: Literal["self", "spouse", "child", "other"] = "self"
    subscriber_first_name: Annotated[str, Field(max_length=35)] | None = None
    subscriber_last_name: Name | None = None
    subscriber_dob: date | None = None
    effective_from: date | None = None
    effective_to: date | None = None

    @model_validator(mode="after")
    def _names_its_subscriber(self) -> Self:
        named = (self.subscriber_first_name, self.subscriber_last_name, self.subscriber_dob)
        if self.relationship != "self" and None in named:
            raise ValueError("the subscriber's name and date of birth are needed where the patient is another person")
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            raise ValueError("effective_to is before effective_from")
        return self


class CoverageBody(CoverageFields):
    """A coverage of a patient who is on record."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"patient_id": "pat_0192f0a1", "payer_id": "pay_harborbh", "member_id": "HB100200300"}]
        }
    )

    patient_id: str


class CoveragePatch(Body):
    """What can change about a coverage; another payer or member id is another coverage."""

    rank: int | None = None
    group_number: str | None = None
    relationship: str | None = None
    subscriber_first_name: str | None = None
    subscriber_last_name: str | None = None
    subscriber_dob: date | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    status: str | None = None


class WholeCoverage(CoverageFields):
    """A coverage as it is after a change."""

    status: Literal["active", "ended", "superseded"]


class CoverageView(CoverageFields):
    id: str
    practice_id: str
    patient_id: str
    status: str
    version: int
    benefit_routes: list["RouteView"] = []


class PatientView(PatientBody):
    id: str
    version: int
    coverages: list[CoverageView] = []


class PatientMessage(BaseModel):
    """A message of an EHR about a patient; fields of theirs that we do not know are left alone."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["patient.upserted", "patient.created", "patient.updated"] = "patient.upserted"
    occurred_at: AwareDatetime | None = None
    patient: PatientBody
    coverages: list[CoverageFields] = []


class ServiceBody(Body):
    procedure: Code
    modifiers: list[Modifier] = []
    units: Annotated[int, Field(ge=1, le=999)] = 1
    charge_cents: Cents = 0


class CheckBody(Body):
    """Ask the payer of a coverage about one day; services make authorization and estimate precise."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "coverage_id": "cov_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f",
                    "as_of_date": "2026-10-05",
                    "place_of_service": "10",
                    "services": [{"procedure": "90834", "modifiers": ["95"], "charge_cents": 17500}],
                }
            ]
        },
    )

    coverage_id: str
    as_of_date: date | None = Field(default=None, description="Today if absent.")
    place_of_service: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = "11"
    services: list[ServiceBody] = []
    eap: bool = False


class RouteView(Body):
    """Who administers a family of benefits in place of the plan."""

    family: str
    administrator: dict[str, str | None]
    next_check_id: str | None = None


class RefusalView(Body):
    """Why the payer did not answer the question, and who can mend it."""

    aaa: str
    field: str
    owner: str
    retryable: bool
    suggestion: str


class CheckView(Body):
    """A question to a payer and what it said; `benefits` and `estimate` come with the answer."""

    id: str
    status: Literal["pending", "completed", "failed"]
    outcome: str | None
    encounter_id: str | None
    coverage_id: str | None
    practice_id: str
    patient_id: str
    as_of_date: date
    checked_at: datetime | None
    attempt: int
    payer: dict[str, str] | None
    routed_from: str | None
    coverage: dict[str, Any] | None
    benefit_routes: list[RouteView]
    benefits: list[dict[str, Any]]
    other_payers: list[str]
    errors: list[RefusalView]
    warnings: list[str]
    messages: list[str]
    estimate: dict[str, Any] | None
    raw: dict[str, Any] | None
    valid_until: date | None


class AuthorizationBody(Body):
    """What a payer allows: so many units of these codes (none: any) between two dates, both inclusive."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "patient_id": "pat_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f",
                    "payer_id": "pay_bluebonnet",
                    "number": "AUTH123",
                    "codes": ["90837"],
                    "unit": "visit",
                    "approved_units": 12,
                    "effective_from": "2026-10-01",
                    "effective_to": "2026-12-31",
                }
            ]
        },
    )

    patient_id: str
    payer_id: PayerId
    kind: Literal["prior", "eap"] = "prior"
    status: Status = Status.APPROVED
    number: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    codes: list[Code] = []
    unit: Literal["visit", "day", "unit15", "unit"] = "visit"
    approved_units: Annotated[int, Field(ge=0, le=9999)]
    effective_from: date
    effective_to: date
    rendering_npi: Npi | None = None
    source: Literal["278", "portal", "phone", "fax", "import"] = "portal"

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.effective_to < self.effective_from:
            raise ValueError("effective_to is before effective_from")
        if self.status in (Status.APPROVED, Status.PARTIALLY_APPROVED) and self.number is None:
            raise ValueError("an approved authorization has a number")
        return self


class AuthorizationPatch(Body):
    """What the payer changed; the state moves by steps."""

    number: str | None = None
    codes: list[str] | None = None
    unit: str | None = None
    approved_units: int | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    rendering_npi: str | None = None


class AuthorizationStep(Body):
    """What the payer decided; an approval brings its number and units."""

    step: Literal["submit", "pend", "approve", "approve_partly", "deny", "void"]
    number: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    approved_units: Annotated[int, Field(ge=0, le=9999)] | None = None


class UsageView(Body):
    reserved: int
    used: int
    available: int


class EntryView(Body):
    """One line of the units ledger."""

    at: datetime
    kind: str
    encounter_id: str
    units: int


class AuthorizationView(Body):
    id: str
    number: str | None
    status: str
    kind: str
    payer: dict[str, str]
    patient_id: str
    practice_id: str
    codes: list[str]
    unit: str
    approved_units: int
    period: dict[str, date]
    providers: dict[str, str | None]
    usage: UsageView
    source: str
    history: list[EntryView]
    version: int


class FeeBody(Body):
    code: Code
    modifiers: list[Modifier] = []
    allowed_cents: Cents


class FeeScheduleBody(Body):
    """What a payer allows for each code from a date on; replaces the schedule of the same payer, practice and date."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "payer_id": "pay_harborbh",
                    "effective_from": "2026-01-01",
                    "fees": [{"code": "90834", "allowed_cents": 10500}],
                }
            ]
        },
    )

    payer_id: PayerId
    practice_id: str | None = None
    effective_from: date
    fees: Annotated[list[FeeBody], Field(max_length=5000)]


class FeeScheduleView(Body):
    payer_id: str
    practice_id: str | None
    effective_from: date
    fees: int
