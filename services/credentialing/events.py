"""What credentialing consumes and produces."""

from typing import Final

from libs.common.composition import Handler
from libs.common.events.credentialing import (
    CredentialExpiring,
    EnrollmentChanged,
    LocationChanged,
    PracticeChanged,
    ProviderChanged,
)
from libs.common.events.envelope import Event
from libs.common.events.work import TaskChanged
from services.credentialing import held

CONSUMES: Final[dict[str, Handler]] = {"claim.updated": held.on_claim_updated}
PRODUCES: Final[tuple[type[Event], ...]] = (
    PracticeChanged,
    LocationChanged,
    ProviderChanged,
    EnrollmentChanged,
    CredentialExpiring,
    TaskChanged,
)
