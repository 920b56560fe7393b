"""A patient consents to disclosure, or takes it back: what waited goes on, what has not gone out stops."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import sqlalchemy as sa

from libs.common import audit, outbox, telemetry, timers
from libs.common.db import Row, Transaction
from libs.common.ids import derived_id, new_id
from libs.common.problems import Conflict, NotFound
from services.claims import disclosure, scrub, store, tables, tell
from services.claims.consent_views import ConsentIn
from services.claims.domain import Claim, Status
from services.claims.views import EncounterIn

ENDED: Final = "claims.consent_ended"


async def tell_session(tx: Transaction, sent: EncounterIn, encounter: Mapping[str, Any], claim: Claim) -> None:
    """encounter.created is out, upon which eligibility asks the payer; or will be once the patient has consented."""
    detail = encounter["detail"]
    kept_from: set[str] = set()
    if disclosure.is_protected(detail):
        for coverage in sent.coverages:
            if not await disclosure.allowed(tx, claim.patient_id, detail, coverage.payer.id):
                kept_from.add(coverage.payer.id)
        told = disclosure.first_payer(detail) not in kept_from
        table = tables.encounter
        await tx.execute(table.update().where(table.c.id == encounter["id"]).values(told=told))
        if not told:
            return
    await outbox.add(tx, tell.encounter_created(sent, encounter, claim, kept_from), sequence=encounter["version"])


async def record(tx: Transaction, given: ConsentIn) -> tuple[Row, bool]:
    """The consent is on record, and what waited for it goes on; the same again changes nothing (False)."""
    table = tables.consent
    values: dict[str, Any] = given.model_dump(exclude={"patient_external_id"})
    values["patient_id"] = derived_id("pat", tx.tenant, given.practice_id, given.patient_external_id)
    known = await tx.first(
        sa.select(table).where(table.c.practice_id == given.practice_id, table.c.external_id == given.external_id)
    )
    if known is not None:
        if any(known[name] != value for name, value in values.items()):
            raise Conflict("consent_exists", "Another consent is on record under this id; revoke it and give a new id.")
        return known, False
    row = await tx.one(
        table.insert()
        .values(id=new_id("cns"), tenant_id=tx.tenant, version=1, created_at=tx.now, updated_at=tx.now, **values)
        .returning(*table.c)
    )
    if given.expires_on is not None:
        after = datetime.combine(given.expires_on + timedelta(days=1), time(0), UTC)
        await timers.set(tx, ENDED, row["id"], at=after)
    await _follow(tx, row["patient_id"])
    return row, True


async def load(tx: Transaction, consent_id: str) -> Row:
    """The consent as it stands. Raises NotFound."""
    row = await tx.first(sa.select(tables.consent).where(tables.consent.c.id == consent_id).with_for_update())
    if row is None:
        raise NotFound("There is no such consent.")
    return row


async def revoke(tx: Transaction, consent_id: str, why: str) -> Row:
    """The consent holds no longer: nothing more goes out under it, what has gone out stays out."""
    row = await load(tx, consent_id)
    if row["revoked_at"] is not None:
        raise Conflict("state_conflict", "This consent has been revoked.")
    table = tables.consent
    changed = await tx.one(
        table.update()
        .where(table.c.id == consent_id)
        .values(revoked_at=tx.now, version=row["version"] + 1, updated_at=tx.now)
        .returning(*table.c)
    )
    await audit.record(tx, "consent.revoke", "consent", consent_id, why, practice_id=row["practice_id"])
    await timers.clear(tx, ENDED, consent_id)
    await _follow(tx, row["patient_id"])
    return changed


async def ended(work: timers.Work, due: timers.Due) -> None:
    """A consent that has run out is as good as none."""
    async with work.db.transaction(due.tenant_id) as tx:
        row = await load(tx, due.id)
        await _follow(tx, row["patient_id"])
        await timers.done(tx, due)


async def _follow(tx: Transaction, patient_id: str) -> None:
    """The patient's protected sessions that no payer has yet stand as the consents in force have it."""
    encounter, claim = tables.encounter, tables.claim
    rows = await tx.all(
        sa.select(encounter, claim.c.id.label("of_claim"))
        .join(claim, claim.c.encounter_id == encounter.c.id)
        .where(
            encounter.c.patient_id == patient_id,
            encounter.c.detail["sensitivity"]["part2_program"].as_boolean(),
            claim.c.status.in_([Status(status).value for status in scrub.SCRUBBED]),
        )
        .order_by(claim.c.service_date, claim.c.external_id, claim.c.id)
    )
    for row in rows:
        current = await store.load(tx, row["of_claim"], lock=True)
        with telemetry.share("claims.consent", current.traceparent):
            tx.correlation_id = row["id"]
            if not row["told"]:
                await tell_session(tx, EncounterIn.model_validate(row["detail"]), dict(row), current)
            await scrub.run(tx, current.id)
