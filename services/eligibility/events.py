"""What eligibility consumes and produces."""

from typing import Final

from libs.common.composition import Handler
from libs.common.events.eligibility import AuthorizationChanged, CoverageChanged, EligibilityChecked
from libs.common.events.envelope import Event
from libs.common.events.work import TaskChanged
from services.eligibility import authorize, intake

CONSUMES: Final[dict[str, Handler]] = {
    "encounter.created": intake.on_encounter_created,
    "claim.updated": authorize.on_claim_updated,
    "practice.changed": intake.on_practice_changed,
}
PRODUCES: Final[tuple[type[Event], ...]] = (CoverageChanged, EligibilityChecked, AuthorizationChanged, TaskChanged)
