"""What other services told: kept as our own copy, and every claim that waited for it is looked at again."""

from collections.abc import Iterable

import sqlalchemy as sa

from libs.common import timers
from libs.common.db import Transaction
from libs.common.events import (
    AuthorizationChanged,
    CoverageChanged,
    EligibilityChecked,
    EnrollmentChanged,
    Envelope,
    LocationChanged,
    PracticeChanged,
    ProviderChanged,
)
from services.claims import store, tables
from services.claims.domain import Status

SCRUB, NEXT_PAYER = "claims.scrub", "claims.next_payer"


async def on_practice(tx: Transaction, event: Envelope[PracticeChanged]) -> None:
    data = event.data
    body = data.model_dump(mode="json")
    if await store.learn(tx, "practice", data.practice_id, event.sequence, body, practice_id=data.practice_id):
        await _again(tx, "practice", data.practice_id, tables.claim.c.practice_id == data.practice_id)


async def on_location(tx: Transaction, event: Envelope[LocationChanged]) -> None:
    data = event.data
    body = data.model_dump(mode="json")
    if await store.learn(tx, "location", data.location_id, event.sequence, body, practice_id=data.practice_id):
        await _again(tx, "practice", data.practice_id, tables.claim.c.practice_id == data.practice_id)


async def on_provider(tx: Transaction, event: Envelope[ProviderChanged]) -> None:
    """The clinician is known by NPI, which is what encounters name."""
    data = event.data
    npi = data.sealed.npi if data.sealed else None
    body = data.model_dump(mode="json")
    if await store.learn(tx, "provider", data.provider_id, event.sequence, body, lookup=npi) and npi:
        await _again(tx, "provider", npi, tables.claim.c.provider_npi == npi)


async def on_enrollment(tx: Transaction, event: Envelope[EnrollmentChanged]) -> None:
    """The spans in which the clinician may bill the payer for the practice are known."""
    data = event.data
    lookup = store.enrollment_key(data.provider_id, data.practice_id, data.payer_id)
    body = data.model_dump(mode="json")
    learned = await store.learn(
        tx, "enrollment", data.enrollment_id, event.sequence, body, practice_id=data.practice_id, lookup=lookup
    )
    if learned:
        await _again(
            tx,
            "enrollment",
            lookup,
            tables.claim.c.provider_id == data.provider_id,
            tables.claim.c.practice_id == data.practice_id,
            tables.claim.c.payer_id == data.payer_id,
        )


async def on_coverage(tx: Transaction, event: Envelope[CoverageChanged]) -> None:
    """The patient's coverage is known; what earlier payers left to the patient goes to a later one that is new."""
    data = event.data
    body = data.model_dump(mode="json")
    learned = await store.learn(
        tx, "coverage", data.coverage_id, event.sequence, body, practice_id=data.practice_id, lookup=data.patient_id
    )
    if not learned or data.rank == 1:
        return
    rows = await tx.all(
        sa.select(tables.claim.c.id).where(
            tables.claim.c.patient_id == data.patient_id,
            tables.claim.c.rank < data.rank,
            tables.claim.c.status.in_((Status.PAID.value, Status.PATIENT_DUE.value)),
        )
    )
    for row in rows:
        await timers.set(tx, NEXT_PAYER, row["id"], at=tx.now)


async def on_authorization(tx: Transaction, event: Envelope[AuthorizationChanged]) -> None:
    """The authorization as it stands; which session holds its units is told by eligibility.checked."""
    data = event.data
    body = data.model_dump(mode="json")
    await store.learn(
        tx,
        "authorization",
        data.authorization_id,
        event.sequence,
        body,
        practice_id=data.practice_id,
        lookup=data.patient_id,
    )


async def on_eligibility(tx: Transaction, event: Envelope[EligibilityChecked]) -> None:
    """The payer's answer for the encounter is known, and its claim goes on from there."""
    data = event.data
    body = data.model_dump(mode="json")
    learned = await store.learn(
        tx, "eligibility", data.encounter_id, event.sequence, body, practice_id=data.practice_id
    )
    if learned:
        await scrub_later(tx, await store.claims_of_encounter(tx, data.encounter_id))


async def _again(tx: Transaction, kind: str, name: str, *which: sa.ColumnElement[bool]) -> None:
    """Claims that have not been sent are scrubbed again, each in its own transaction."""
    await store.tell_news(tx, kind, name)
    unsent = [status.value for status in (Status.WAITING, Status.HELD, Status.READY)]
    rows = await tx.all(sa.select(tables.claim.c.id).where(tables.claim.c.status.in_(unsent), *which))
    await scrub_later(tx, [row["id"] for row in rows])


async def scrub_later(tx: Transaction, claim_ids: Iterable[str]) -> None:
    """Each is scrubbed in a transaction of its own, so that no batch of news holds many claims at once."""
    for claim_id in claim_ids:
        await timers.set(tx, SCRUB, claim_id, at=tx.now)
