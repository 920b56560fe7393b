"""What callers send and get: practices, locations, clinicians, enrollments, billability."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from libs.common.fields import PayerId, PostalAddress, State
from services.credentialing import domain


def _npi(text: str) -> str:
    if not domain.is_npi(text):
        raise ValueError("an NPI has ten digits and a check digit (Luhn over 80840)")
    return text


def _tin(text: str) -> str:
    if not domain.is_tin(text):
        raise ValueError("a TIN has nine digits and no dash")
    return text


def _taxonomy(text: str) -> str:
    if not domain.is_taxonomy(text):
        raise ValueError("a taxonomy code has ten characters and ends in X")
    return text


Npi = Annotated[str, AfterValidator(_npi)]
Tin = Annotated[str, AfterValidator(_tin)]
Taxonomy = Annotated[str, AfterValidator(_taxonomy)]
Text = Annotated[str, Field(min_length=1, max_length=60)]
ExternalId = Annotated[str, Field(min_length=1, max_length=64)]
Standing = Literal["active", "inactive"]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StreetAddress(PostalAddress):
    """Where patients are seen: a street, never a box, with ZIP+4 (837P 2010AA)."""

    zip: Annotated[str, Field(pattern=r"^[0-9]{9}$")]

    @model_validator(mode="after")
    def _is_a_street(self) -> Self:
        if domain.is_post_box(self.line1) or domain.is_post_box(self.line2 or ""):
            raise ValueError("a billing or service address is a street, not a post office box; use pay_to for the box")
        return self


class PracticeBody(Body):
    """A practice: the billing provider (Type 2 NPI) that payers pay."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "external_id": "clinic-1",
                    "name": "Bright Minds Behavioral Health",
                    "npi": "1999999992",
                    "tin": "741234567",
                    "taxonomy": "261QM0801X",
                    "address": {"line1": "100 Main St", "city": "Austin", "state": "TX", "zip": "787010001"},
                    "pay_to": {"line1": "PO Box 9", "city": "Austin", "state": "TX", "zip": "78767"},
                    "contact_name": "Billing Office",
                    "phone": "5125550100",
                }
            ]
        },
    )

    external_id: ExternalId | None = None
    name: Text
    npi: Npi
    tin: Tin
    taxonomy: Taxonomy
    address: StreetAddress
    pay_to: PostalAddress | None = None
    contact_name: Text | None = None
    phone: Annotated[str, Field(pattern=r"^[0-9]{10}$")] | None = None
    status: Standing = "active"


class PracticePatch(Body):
    external_id: ExternalId | None = None
    name: str | None = None
    tin: str | None = None
    taxonomy: str | None = None
    address: dict[str, Any] | None = None
    pay_to: dict[str, Any] | None = None
    contact_name: str | None = None
    phone: str | None = None
    status: str | None = None


class PracticeView(PracticeBody):
    id: str
    version: int
    created_at: datetime


class LocationBody(Body):
    """A place where a practice sees patients; `place_of_service` is what its claims carry (11 office)."""

    practice_id: str
    external_id: ExternalId | None = None
    name: Text
    npi: Npi | None = None
    address: StreetAddress
    place_of_service: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = "11"
    status: Standing = "active"


class LocationPatch(Body):
    external_id: ExternalId | None = None
    name: str | None = None
    npi: str | None = None
    address: dict[str, Any] | None = None
    place_of_service: str | None = None
    status: str | None = None


class LocationView(LocationBody):
    id: str
    version: int
    created_at: datetime


class LicenceBody(Body):
    """A licence to practise in one state; both dates inclusive."""

    state: State
    number: Annotated[str, Field(min_length=1, max_length=30)]
    type: Annotated[str, Field(min_length=1, max_length=20)]
    effective_from: date
    expires_on: date

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.expires_on < self.effective_from:
            raise ValueError("expires_on is before effective_from")
        return self


class LicenceView(LicenceBody):
    id: str


class CaqhBody(Body):
    """The CAQH profile: its id, and when the clinician last attested it (good for 120 days)."""

    id: Annotated[str, Field(pattern=r"^[0-9]{5,10}$")]
    attested_on: date | None = None


class ClinicianBody(Body):
    """A clinician (Type 1 NPI), the practices they work for, and their licences."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "practice_ids": ["prc_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"],
                    "npi": "1999999984",
                    "first_name": "Dana",
                    "last_name": "Quill",
                    "taxonomy": "1041C0700X",
                    "credential": "LCSW",
                    "licences": [
                        {
                            "state": "TX",
                            "number": "58211",
                            "type": "LCSW",
                            "effective_from": "2022-03-01",
                            "expires_on": "2027-02-28",
                        }
                    ],
                    "caqh": {"id": "15522233", "attested_on": "2026-09-10"},
                }
            ]
        },
    )

    practice_ids: Annotated[list[str], Field(min_length=1, max_length=200)]
    npi: Npi
    first_name: Annotated[str, Field(min_length=1, max_length=35)]
    last_name: Text
    taxonomy: Taxonomy
    credential: Annotated[str, Field(max_length=20)] | None = None
    licences: list[LicenceBody] = []
    caqh: CaqhBody | None = None
    status: Standing = "active"


class ClinicianPatch(Body):
    """Lists replace what was there: a renewal sends the licence with its new `expires_on`."""

    practice_ids: list[str] | None = None
    first_name: str | None = None
    last_name: str | None = None
    taxonomy: str | None = None
    credential: str | None = None
    licences: list[dict[str, Any]] | None = None
    caqh: dict[str, Any] | None = None
    status: str | None = None


class ClinicianView(Body):
    id: str
    practice_ids: list[str]
    npi: str
    first_name: str
    last_name: str
    taxonomy: str
    level: str
    credential: str | None
    licences: list[LicenceView]
    caqh: CaqhBody | None
    caqh_attestation_due: date | None
    status: str
    version: int


class EnrollmentBody(Body):
    """An enrollment to start, or (with a later `status` and its dates) one that is already on file with the payer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "provider_id": "prv_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f",
                    "practice_id": "prc_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f",
                    "payer_id": "pay_harborbh",
                    "status": "effective",
                    "effective_from": "2024-01-01",
                    "payer_loaded_on": "2024-01-15",
                }
            ]
        },
    )

    provider_id: str
    practice_id: str
    payer_id: PayerId
    location_ids: Annotated[list[str], Field(min_length=1)] | None = None
    status: domain.Status = domain.Status.COLLECTING
    effective_from: date | None = None
    effective_to: date | None = None
    payer_loaded_on: date | None = None
    payer_reference: Annotated[str, Field(max_length=50)] | None = None
    requested_from: date | None = None


class EnrollmentPatch(Body):
    """Corrections to dates, locations and references; the state moves by steps."""

    location_ids: Annotated[list[str], Field(min_length=1)] | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    payer_loaded_on: date | None = None
    payer_reference: Annotated[str, Field(max_length=50)] | None = None
    requested_from: date | None = None
    next_follow_up: date | None = None


class StepBody(Body):
    """What happened with the payer: `approve` and `load` bring dates, `terminate` an end, the refusals a reason."""

    step: domain.Step
    on: date | None = Field(default=None, description="When it happened; today if absent.")
    effective_from: date | None = None
    effective_to: date | None = None
    payer_loaded_on: date | None = None
    payer_reference: Annotated[str, Field(max_length=50)] | None = None
    reason: Annotated[str, Field(max_length=200)] | None = Field(default=None, description="Plain words, no patients.")


class HeldView(Body):
    """Claims that wait for this enrollment."""

    claims: int
    charge_cents: int
    oldest: date | None


class HistoryView(Body):
    step: str
    status: str
    on: date
    reason: str | None
    at: datetime


class EnrollmentView(Body):
    id: str
    provider_id: str
    practice_id: str
    payer_id: str
    location_ids: list[str] | None
    status: str
    status_since: date
    effective_from: date | None
    effective_to: date | None
    payer_loaded_on: date | None
    payer_reference: str | None
    requested_from: date | None
    next_follow_up: date | None
    reason: str | None
    next_steps: list[str]
    revenue_at_risk: HeldView
    history: list[HistoryView]
    version: int


class BasisView(Body):
    """What an answer rests on."""

    enrollment_id: str | None = None
    status: str | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    payer_loaded_on: date | None = None
    licence_id: str | None = None
    licence_expires_on: date | None = None


class BillabilityView(Body):
    """yes, hold (keep the claim, it may become yes) or no."""

    billable: Literal["yes", "hold", "no"]
    reason: str
    words: str
    basis: BasisView
