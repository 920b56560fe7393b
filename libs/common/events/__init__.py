"""The published language: every event type, its producer and its consumers, in one table.

Consumers are declared here so that the flow can be drawn; `tests/contracts` holds them to each service's CONSUMES.
"""

from libs.common.events.claims import ClaimSubmitted, ClaimUpdated, DenialResolved, EncounterCreated
from libs.common.events.credentialing import (
    CredentialExpiring,
    EnrollmentChanged,
    LocationChanged,
    PracticeChanged,
    ProviderChanged,
)
from libs.common.events.eligibility import AuthorizationChanged, CoverageChanged, EligibilityChecked
from libs.common.events.envelope import Envelope, Event, Sealed, UnreadableEvent, read, write
from libs.common.events.remittance import (
    DenialRaised,
    DepositMatched,
    EraReceived,
    PatientBalanceChanged,
    PaymentPosted,
    ReceivableChanged,
)
from libs.common.events.work import TaskChanged

CONSUMERS: dict[type[Event], tuple[str, ...]] = {
    PracticeChanged: ("eligibility", "claims", "remittance"),
    LocationChanged: ("claims",),
    ProviderChanged: ("claims",),
    EnrollmentChanged: ("claims",),
    CredentialExpiring: (),
    EncounterCreated: ("eligibility", "remittance"),
    CoverageChanged: ("claims", "remittance"),
    EligibilityChecked: ("claims",),
    AuthorizationChanged: ("claims",),
    ClaimUpdated: ("credentialing", "eligibility", "remittance"),
    ClaimSubmitted: ("remittance",),
    DenialResolved: ("remittance",),
    EraReceived: (),
    PaymentPosted: ("claims",),
    ReceivableChanged: (),
    DenialRaised: ("claims",),
    PatientBalanceChanged: (),
    DepositMatched: (),
    TaskChanged: (),
}
"""Who consumes each event; reporting consumes every one of them and is not repeated."""

CATALOG: dict[str, type[Event]] = {event.topic: event for event in CONSUMERS}
TOPICS: tuple[str, ...] = tuple(sorted(CATALOG))

__all__ = [
    "CATALOG",
    "CONSUMERS",
    "TOPICS",
    "AuthorizationChanged",
    "ClaimSubmitted",
    "ClaimUpdated",
    "CoverageChanged",
    "CredentialExpiring",
    "DenialRaised",
    "DenialResolved",
    "DepositMatched",
    "EligibilityChecked",
    "EncounterCreated",
    "EnrollmentChanged",
    "Envelope",
    "EraReceived",
    "Event",
    "LocationChanged",
    "PatientBalanceChanged",
    "PaymentPosted",
    "PracticeChanged",
    "ProviderChanged",
    "ReceivableChanged",
    "Sealed",
    "TaskChanged",
    "UnreadableEvent",
    "read",
    "write",
]
