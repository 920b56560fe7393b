"""What claims tells: encounters, claims as they move, submissions, and what became of denials."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.common.events.credentialing import Address
from libs.common.events.envelope import Cents, Code, Event, Id, Sealed


class EncounterCoverage(BaseModel):
    """A coverage as the EHR names it; `rank` 1 is primary. `may_be_asked`: its payer may learn of the session."""

    model_config = ConfigDict(frozen=True)

    rank: int
    payer_id: str
    member_id: str
    group_number: str | None = None
    relationship: str = "self"
    subscriber_first_name: str | None = None
    subscriber_last_name: str | None = None
    subscriber_dob: date | None = None
    may_be_asked: bool = True


class CodedService(BaseModel):
    """A service line as coded from the documented minutes."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    procedure: str
    modifiers: list[str]
    units: int
    charge_cents: int


class EncounterDetail(Sealed):
    """Everything of an encounter that identifies the patient or says what was done to whom."""

    external_id: str
    patient_external_id: str
    first_name: str
    last_name: str
    middle_name: str | None = None
    dob: date
    sex: str
    address: Address | None = None
    coverages: list[EncounterCoverage]
    service_date: date
    place_of_service: str
    modality: str
    diagnoses: list[str]
    services: list[CodedService]
    rendering_npi: str
    authorization_number: str | None = None
    eap: bool = False


class EncounterCreated(Event):
    """A session that the EHR sent and that can be billed; `revision` grows when the EHR sends it again changed."""

    topic: ClassVar[str] = "encounter.created"
    producer: ClassVar[str] = "claims"
    kind: ClassVar[Literal["state", "fact"]] = "fact"
    key: ClassVar[str] = "encounter_id"

    encounter_id: Id
    claim_id: Id
    practice_id: Id
    patient_id: Id
    code_family: Code
    charge_cents: Cents
    collected_cents: Cents = 0
    revision: int = Field(ge=1, default=1)
    sealed: EncounterDetail | None = None


class ClaimUpdated(Event):
    """A claim as it now stands. `reasons` say why it waits or stops; `owner` who acts next.

    `clean` is whether no person has had to touch it so far; `attempts` counts submissions.
    """

    topic: ClassVar[str] = "claim.updated"
    producer: ClassVar[str] = "claims"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "claim_id"

    claim_id: Id
    encounter_id: Id
    practice_id: Id
    patient_id: Id
    provider_id: Id | None
    payer_id: Id | None
    rank: int = 1
    status: Code
    reasons: list[Code] = Field(default=[])
    owner: Code
    code_family: Code
    charge_cents: Cents
    clean: bool
    attempts: int = Field(ge=0)
    authorization_id: Id | None = None
    authorized_units: int = 0


class SubmittedLine(BaseModel):
    """A service line as sent; `line_control` is its REF*6R."""

    model_config = ConfigDict(frozen=True)

    line_id: Id
    line_control: str
    code_family: str
    charge_cents: int
    units: int


class SubmittedLineDetail(BaseModel):
    """What the payer was told of a line, for matching its answer."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    procedure: str
    modifiers: list[str]
    service_date: date


class SubmissionDetail(Sealed):
    lines: list[SubmittedLineDetail]
    original_reference: str | None = None
    member_id: str | None = None


class ClaimSubmitted(Event):
    """A claim went to a payer once more: `attempt` counts from 1, `frequency` is 1, 7 or 8.

    `patient_control_number` is CLM01, unique to this submission. `replaces` names the submission whose payer claim
    number a 7 or 8 refers to. `next_payer`: another payer of the patient's will be asked for what this one leaves.
    `clean` is whether no person had had to touch the claim before; earlier releases did not say.
    """

    topic: ClassVar[str] = "claim.submitted"
    producer: ClassVar[str] = "claims"
    kind: ClassVar[Literal["state", "fact"]] = "fact"
    key: ClassVar[str] = "claim_id"

    claim_id: Id
    submission_id: Id
    encounter_id: Id
    practice_id: Id
    patient_id: Id
    provider_id: Id
    payer_id: Id
    rank: int = 1
    attempt: int = Field(ge=1)
    frequency: Code
    patient_control_number: str = Field(max_length=20)
    replaces: Id | None = None
    next_payer: bool = False
    clean: bool | None = None
    charge_cents: Cents
    submitted_on: date
    lines: list[SubmittedLine]
    sealed: SubmissionDetail | None = None


class DenialResolved(Event):
    """A denial case moved: resubmitted, appealed, written_off, billed_to_patient, overturned, upheld.

    `line_ids` are the denied lines that it concerns; `amount_cents` their denied amount.
    """

    topic: ClassVar[str] = "denial.resolved"
    producer: ClassVar[str] = "claims"
    kind: ClassVar[Literal["state", "fact"]] = "fact"
    key: ClassVar[str] = "claim_id"

    claim_id: Id
    denial_id: Id
    practice_id: Id
    resolution: Code
    amount_cents: Cents
    line_ids: list[Id]
