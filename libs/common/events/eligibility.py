"""What eligibility tells: coverage, the payer's answer, and authorized units."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from libs.common.events.envelope import Cents, Code, Event, Id, Sealed


class CoverageIdentity(Sealed):
    member_id: str
    group_number: str | None = None
    relationship: str = "self"
    subscriber_first_name: str | None = None
    subscriber_last_name: str | None = None
    subscriber_dob: date | None = None
    effective_from: date | None = None
    effective_to: date | None = None


class CoverageChanged(Event):
    """A patient's coverage as it now stands; `rank` 1 is primary.

    `bill_payer_id`: who administers behavioral health, where the payer is known to leave that to somebody.
    """

    topic: ClassVar[str] = "coverage.changed"
    producer: ClassVar[str] = "eligibility"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "coverage_id"

    coverage_id: Id
    patient_id: Id
    practice_id: Id
    payer_id: Id
    bill_payer_id: Id | None = None
    rank: int = Field(ge=1, le=9)
    status: Code
    sealed: CoverageIdentity | None = None


class CheckedIdentity(CoverageIdentity):
    """The subscriber as the claim must name them to the payer it goes to."""

    plan_name: str | None = None
    authorization_number: str | None = None


class EligibilityChecked(Event):
    """What the payer says of an encounter's coverage on its date of service, and where the claim goes.

    `outcome`: active, inactive, not_found, rejected (the payer refused the question: `reject_reasons` are AAA codes),
    self_pay (no coverage). A claim goes to `bill_payer_id`, which differs from `payer_id` where the plan carves
    behavioral health out. `authorization`: not_required, reserved, missing, exhausted, unknown.
    `owner`: who can mend what the payer refused; the claim's own task is theirs.
    Amounts are the patient's estimated share. `coverage_id`, `bill_payer_id` None: nobody to bill.
    """

    topic: ClassVar[str] = "eligibility.checked"
    producer: ClassVar[str] = "eligibility"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "encounter_id"

    encounter_id: Id
    check_id: Id
    patient_id: Id
    practice_id: Id
    coverage_id: Id | None
    payer_id: Id | None
    bill_payer_id: Id | None
    outcome: Code
    reject_reasons: list[Code] = Field(default=[])
    owner: Code | None = None
    carved_out: bool = False
    authorization: Code
    authorization_id: Id | None = None
    copay_cents: Cents | None = None
    estimate_cents: Cents | None = None
    deductible_left_cents: Cents | None = None
    visits_left: int | None = None
    sealed: CheckedIdentity | None = None


class AuthorizationIdentity(Sealed):
    number: str | None = None
    codes: list[str] = Field(default=[])
    effective_from: date
    effective_to: date


class AuthorizationChanged(Event):
    """An authorization and its units ledger as they now stand: approved = reserved + consumed + available."""

    topic: ClassVar[str] = "authorization.changed"
    producer: ClassVar[str] = "eligibility"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "authorization_id"

    authorization_id: Id
    patient_id: Id
    practice_id: Id
    payer_id: Id
    status: Code
    unit: Code
    approved_units: int = Field(ge=0)
    reserved_units: int = Field(ge=0)
    consumed_units: int = Field(ge=0)
    sealed: AuthorizationIdentity | None = None
