"""What is held for want of an enrollment: claims, cents, the oldest wait, on the enrollment and as a task."""

from typing import Any

from libs.common import tasks
from libs.common.db import Row, Transaction
from libs.common.events.claims import ClaimUpdated
from libs.common.events.envelope import Envelope
from services.credentialing import store
from services.credentialing.domain import IN_PROGRESS, Enrollment

HELD = "claims_held_for_enrollment"
STOPPED = frozenset({"waiting", "held"})


def wants_enrollment(reason: str) -> bool:
    """Whether a claim's reason says that its clinician cannot bill yet."""
    return reason.startswith(("enrollment", "not_enrolled", "clinician_not", "location_not_enrolled", "licence"))


async def on_claim_updated(tx: Transaction, event: Envelope[ClaimUpdated]) -> None:
    """The enrollment's held claims, and the task about them, say what is newest."""
    claim = event.data
    waits = claim.status in STOPPED and any(map(wants_enrollment, claim.reasons))
    before = await store.claim(tx, claim.claim_id)
    news: dict[str, Any] = {
        "claim_id": claim.claim_id,
        "practice_id": claim.practice_id,
        "provider_id": claim.provider_id,
        "payer_id": claim.payer_id,
        "charge_cents": claim.charge_cents,
        "held": waits,
        "held_since": event.time.date() if waits else None,
        "sequence": event.sequence,
    }
    if not await store.note_claim(tx, news):
        return
    touched = {_whose(row) for row in (before, news) if row is not None and row["held"]}
    for provider_id, practice_id, payer_id in sorted(whose for whose in touched if whose is not None):
        await _count(tx, provider_id, practice_id, payer_id)


def _whose(row: Row | dict[str, Any]) -> tuple[str, str, str] | None:
    """Clinician, practice and payer of a claim; None where a claim does not know them yet."""
    if row["provider_id"] is None or row["payer_id"] is None:
        return None
    return row["provider_id"], row["practice_id"], row["payer_id"]


async def _count(tx: Transaction, provider_id: str, practice_id: str, payer_id: str) -> None:
    await store.count_alone(tx, provider_id, practice_id, payer_id)
    held = await store.held(tx, provider_id, practice_id, payer_id)
    found = await store.find_enrollments(tx, provider_id=provider_id, practice_id=practice_id, payer_id=payer_id)
    kind, subject = ("enrollment", _awaited(found).id) if found else ("provider", provider_id)
    if not held["claims"]:
        await tasks.close(tx, subject_id=subject, reason=HELD)
        return
    await tasks.open(
        tx,
        reason=HELD,
        subject_type=kind,
        subject_id=subject,
        practice_id=practice_id,
        owner="credentialing",
        due_on=held["oldest"],
        amount_cents=held["charge_cents"],
        detail=f"{held['claims']} claims to {payer_id} wait for {provider_id}, the oldest since {held['oldest']}",
    )


def _awaited(found: list[Enrollment]) -> Enrollment:
    """The enrollment that the claims wait for: one under way before any other, then the newest."""
    return max(found, key=lambda one: (one.status in IN_PROGRESS, one.id))
