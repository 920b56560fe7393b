"""What remittance consumes and produces."""

from typing import Final

from libs.common.composition import Handler
from libs.common.events import (
    DenialRaised,
    DepositMatched,
    EraReceived,
    Event,
    PatientBalanceChanged,
    PaymentPosted,
    ReceivableChanged,
    TaskChanged,
)
from services.remittance import charge, denials, patients

CONSUMES: Final[dict[str, Handler]] = {
    "claim.submitted": charge.on_claim_submitted,
    "claim.updated": charge.on_claim_updated,
    "coverage.changed": charge.on_coverage_changed,
    "denial.resolved": denials.on_denial_resolved,
    "encounter.created": patients.on_encounter_created,
    "practice.changed": charge.on_practice_changed,
}
PRODUCES: Final[tuple[type[Event], ...]] = (
    EraReceived,
    PaymentPosted,
    ReceivableChanged,
    DenialRaised,
    PatientBalanceChanged,
    DepositMatched,
    TaskChanged,
)
