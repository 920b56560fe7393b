"""What claims consumes and produces."""

from typing import Final

from libs.common.composition import Handler
from libs.common.events import ClaimSubmitted, ClaimUpdated, DenialResolved, EncounterCreated, Event, TaskChanged
from services.claims import denials, learn, settle

CONSUMES: Final[dict[str, Handler]] = {
    "practice.changed": learn.on_practice,
    "location.changed": learn.on_location,
    "provider.changed": learn.on_provider,
    "enrollment.changed": learn.on_enrollment,
    "coverage.changed": learn.on_coverage,
    "eligibility.checked": learn.on_eligibility,
    "authorization.changed": learn.on_authorization,
    "payment.posted": settle.on_payment,
    "denial.raised": denials.on_denial,
}
PRODUCES: Final[tuple[type[Event], ...]] = (EncounterCreated, ClaimUpdated, ClaimSubmitted, DenialResolved, TaskChanged)
