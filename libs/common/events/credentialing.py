"""What credentialing tells: who may bill whom, where, from when."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.common.events.envelope import Code, Event, Id, Sealed


class Address(BaseModel):
    """A postal address; US states by two letters, ZIP with five or nine digits and no dash."""

    model_config = ConfigDict(frozen=True)

    line1: str
    line2: str | None = None
    city: str
    state: str
    zip: str


class PracticeIdentity(Sealed):
    name: str
    npi: str
    tin: str
    taxonomy: str
    address: Address
    pay_to: Address | None = None
    contact_name: str | None = None
    phone: str | None = None


class PracticeChanged(Event):
    """A practice (a billing provider, Type 2 NPI) as it now stands."""

    topic: ClassVar[str] = "practice.changed"
    producer: ClassVar[str] = "credentialing"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "practice_id"

    practice_id: Id
    status: Code
    sealed: PracticeIdentity | None = None


class LocationIdentity(Sealed):
    name: str
    npi: str | None = None
    address: Address


class LocationChanged(Event):
    """A place where a practice sees patients, as it now stands."""

    topic: ClassVar[str] = "location.changed"
    producer: ClassVar[str] = "credentialing"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "location_id"

    location_id: Id
    practice_id: Id
    status: Code
    place_of_service: Code
    sealed: LocationIdentity | None = None


class Licence(BaseModel):
    """A licence to practise in one state; both dates inclusive."""

    model_config = ConfigDict(frozen=True)

    state: str
    number: str
    type: str
    effective_from: date
    expires_on: date


class ProviderIdentity(Sealed):
    npi: str
    first_name: str
    last_name: str
    taxonomy: str
    credential: str | None = None
    licences: list[Licence] = Field(default=[])


class ProviderChanged(Event):
    """A clinician (Type 1 NPI) as it now stands; `level` is the licence level that payers price by."""

    topic: ClassVar[str] = "provider.changed"
    producer: ClassVar[str] = "credentialing"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "provider_id"

    provider_id: Id
    practice_ids: list[Id]
    status: Code
    level: Code
    sealed: ProviderIdentity | None = None


class BillableSpan(BaseModel):
    """Dates of service on which the clinician may bill; `effective_to` None is open-ended, both inclusive.

    `location_ids` is given only where the locations of an enrollment differ (licences of two states); None: wherever
    the enrollment holds.
    """

    model_config = ConfigDict(frozen=True)

    effective_from: date
    effective_to: date | None = None
    location_ids: list[str] | None = None


class EnrollmentChanged(Event):
    """The truth about "may this clinician bill this payer for this practice, here, on this date" has changed.

    `billable` lists the spans in which the answer is yes; empty means never yet. `location_ids` None means every
    location of the practice. `status` is the enrollment's own state (submitted, in_review, effective, terminated…).
    """

    topic: ClassVar[str] = "enrollment.changed"
    producer: ClassVar[str] = "credentialing"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "enrollment_id"

    enrollment_id: Id
    provider_id: Id
    practice_id: Id
    payer_id: Id
    location_ids: list[Id] | None = None
    status: Code
    billable: list[BillableSpan]


class CredentialExpiring(Event):
    """A licence or another credential of a clinician ends soon; `days_left` counts from the event's time."""

    topic: ClassVar[str] = "credential.expiring"
    producer: ClassVar[str] = "credentialing"
    kind: ClassVar[Literal["state", "fact"]] = "fact"
    key: ClassVar[str] = "provider_id"

    provider_id: Id
    credential_id: Id
    credential: Code
    expires_on: date
    days_left: int
