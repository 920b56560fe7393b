"""What callers see of claims, batches, denials and appeals, and what they send to move them."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from services.claims.views import CentsIn, Label, ProcedureCode, Strict


class LineView(BaseModel):
    id: str
    code: str
    modifiers: list[str]
    units: int
    charge_cents: int | None
    dx_pointers: list[int]
    minutes: int | None
    reason: str = Field(description="How the code came about, in words.")


class ClaimSummary(BaseModel):
    """A claim in a list: no clinical detail."""

    id: str
    encounter_id: str
    practice_id: str
    patient_id: str
    provider_id: str | None
    payer_id: str | None
    rank: int
    status: str
    reasons: list[str]
    owner: str
    clean: bool
    attempts: int
    code_family: str
    charge_cents: int
    version: int
    created_at: datetime
    updated_at: datetime


class SubmissionView(BaseModel):
    id: str
    batch_id: str
    payer_id: str
    rank: int = Field(description="Whose turn it was: 1 the first payer, 2 the one after it.")
    attempt: int
    frequency: str
    patient_control_number: str
    payer_control_number: str | None
    original_reference: str | None
    status: str
    acknowledged: str | None
    charge_cents: int
    created_at: datetime


class AckView(BaseModel):
    submission_id: str
    kind: str
    verdict: str
    words: str
    at: datetime


class Deadlines(BaseModel):
    timely_filing: date | None = Field(description="The payer takes an original claim until this day.")
    correction: date | None
    appeal: date | None


class Totals(BaseModel):
    """As remittance posted them last; null before the payer has decided."""

    charge_cents: int
    payer_paid_cents: int | None = None
    contractual_cents: int | None = None
    patient_cents: int | None = None
    denied_open_cents: int | None = None
    written_off_cents: int | None = None
    in_flight_cents: int | None = None


class ClaimView(ClaimSummary):
    """A claim with everything that it says."""

    service_date: date
    frequency: str
    place_of_service: str
    modality: str
    diagnoses: list[str]
    lines: list[LineView]
    authorization_number: str | None
    payer_control_number: str | None
    next_cut_at: datetime | None
    checks: list[dict[str, Any]]
    submissions: list[SubmissionView]
    acks: list[AckView]
    denials: list[str]
    deadlines: Deadlines
    totals: Totals
    links: dict[str, str]


class Why(Strict):
    why: Label = Field(min_length=1, description="In a few words without names; kept in the history.")


class Release(Why):
    accept: list[Label] = Field(
        default_factory=list, max_length=20, description="Codes of findings that you have looked at and accept."
    )


class ChargeIn(Strict):
    """What the practice charges for one unit of a code, from a day on."""

    practice_id: str = Field(pattern=r"^[a-z]{2,4}_[0-9a-z]{1,48}$")
    code: ProcedureCode
    charge_cents: CentsIn
    effective_from: date
    effective_to: date | None = None


class ChargeView(BaseModel):
    practice_id: str
    code: str
    charge_cents: int
    effective_from: date
    effective_to: date | None
    updated_at: datetime


class BatchFileView(BaseModel):
    """One 837P, for one payer and practice."""

    id: str
    practice_id: str
    payer_id: str
    control_number: int
    status: str = Field(description="stored (its outcome is not known yet), sent or refused.")
    claims: int
    charge_cents: int
    tries: int
    file_id: str | None
    cut_at: datetime
    sent_at: datetime | None
    created_at: datetime


class AcknowledgementView(BaseModel):
    """A TA1, 999 or 277CA as it came from the clearinghouse."""

    id: str = Field(description="The clearinghouse's own id of it.")
    kind: str
    batch_id: str | None = Field(description="The 837P that it answers; null where it answers several, or none.")
    practice_id: str | None
    answers: int = Field(description="How many files or claims of ours it names; 0 has a task.")
    received_at: datetime


class DenialView(BaseModel):
    """A denied line, why it was really denied, and what to do."""

    id: str
    claim_id: str
    line_id: str
    practice_id: str
    payer_id: str
    group_code: str
    reason_code: str
    remark_codes: list[str]
    amount_cents: int
    payer_control_number: str | None
    category: str
    root_cause: str
    evidence: dict[str, Any]
    action: str
    steps: list[str]
    owner: str
    correct_by: date
    appeal_by: date
    first_pass: bool
    status: str
    version: int
    raised_on: date
    created_at: datetime
    updated_at: datetime


class AppealIn(Strict):
    kind: Literal[
        "provider_dispute",
        "reconsideration",
        "peer_to_peer",
        "member_appeal",
        "external_review",
        "state_hearing",
        "parity_complaint",
    ] = "provider_dispute"
    letter_ref: Label | None = Field(None, description="Where the letter is kept; never its text.")


class AppealAnswer(Strict):
    outcome: Literal["upheld", "overturned"]


class GiveUp(Why):
    """A decision that ends a case without money from the payer."""


class AppealView(BaseModel):
    id: str
    denial_id: str
    claim_id: str
    practice_id: str
    level: int
    kind: str
    letter_ref: str | None
    filed_on: date
    answer_due_on: date
    status: str
    version: int
    created_at: datetime


class RuleView(BaseModel):
    id: str
    edit: str
    severity: str
    code: str
    payers: list[str] = Field(description="Empty: every payer.")
    params: dict[str, Any]
    effective_from: date
    effective_to: date | None
    source: str
