"""Credentials end: some days before, and again and again until the day, somebody is told and has a task."""

from datetime import UTC, datetime, time

from libs.common import outbox, tasks, timers
from libs.common.db import Transaction
from libs.common.events.credentialing import CredentialExpiring
from libs.common.timers import Due, Work
from services.credentialing import store
from services.credentialing.domain import NOTICE_DAYS, Clinician, Credential, next_notice

EXPIRING = "credentialing.expiring"
NOTICE_AT = time(8, tzinfo=UTC)


async def watch(tx: Transaction, one: Credential) -> None:
    """The end of a new or renewed credential will be told in time; what was said of the old end is settled."""
    await forget(tx, one.id)
    if (one.expires_on - tx.today).days <= max(NOTICE_DAYS[one.kind]):
        await timers.set(tx, EXPIRING, one.id, at=tx.now)  # within the first notice already: say so today
        return
    first = next_notice(one.kind, one.expires_on, tx.today)
    assert first is not None, "the first notice lies ahead"
    await timers.set(tx, EXPIRING, one.id, at=datetime.combine(first, NOTICE_AT))


async def forget(tx: Transaction, credential_id: str) -> None:
    """Nothing more will be told of the credential, and its tasks are done."""
    await timers.clear(tx, EXPIRING, credential_id)
    await tasks.close(tx, subject_id=credential_id, reason=None)


async def notify(work: Work, due: Due) -> None:
    """The day of one notice has come: the event and the task are out, and the next notice is set.

    Days are counted from the day the notice was due, so a clock that jumps still tells every notice, once.
    """
    async with work.db.transaction(due.tenant_id) as tx:
        one = await store.credential(tx, due.id)
        clinician = None if one is None else await store.clinician(tx, one.provider_id)
        if one is None or clinician is None:
            await timers.done(tx, due)
            return
        day = due.at.date()
        if clinician.status == "active" and not await store.outlasted(tx, one):
            await _tell(tx, one, clinician, (one.expires_on - day).days)
        following = next_notice(one.kind, one.expires_on, day)
        if following is None:
            await timers.done(tx, due)
        else:
            await timers.set(tx, EXPIRING, one.id, at=datetime.combine(following, NOTICE_AT))


async def _tell(tx: Transaction, one: Credential, clinician: Clinician, days_left: int) -> None:
    """It is told, and somebody has a task: of the practice, where the clinician works for one only."""
    sequence = await store.count_notice(tx, one.provider_id)
    event = CredentialExpiring(
        provider_id=one.provider_id,
        credential_id=one.id,
        credential=one.kind,
        expires_on=one.expires_on,
        days_left=days_left,
    )
    await outbox.add(tx, event, sequence=sequence)
    over = days_left <= 0
    if over:
        await tasks.close(tx, subject_id=one.id, reason=f"{one.kind}_expiring", outcome="expired")
    await tasks.open(
        tx,
        reason=f"{one.kind}_{'expired' if over else 'expiring'}",
        subject_type="credential",
        subject_id=one.id,
        practice_id=clinician.practice_ids[0] if len(clinician.practice_ids) == 1 else None,
        owner="credentialing",
        due_on=one.expires_on,
        detail=f"{one.provider_id}: {one.kind.replace('_', ' ')} {one.state or ''} ends on {one.expires_on}",
    )
