"""A file that has not gone out is taken apart if a patient in it no longer consents; the others make a file anew.

What is on its way is out: between this look and the clearinghouse nothing can stop a file.
"""

import sqlalchemy as sa

from libs.common import telemetry
from libs.common.db import Transaction
from services.claims import disclosure, scrub, store, tables
from services.claims.domain import Step
from services.claims.lifecycle import move

WORDS = "its file was taken apart before it went out"


async def if_revoked(tx: Transaction, batch_id: str) -> bool:
    """Whether the batch, which is known never to have arrived, has been taken apart and is not to be sent.

    Its claims are ready again, and those whose patient does not consent are held; the others make a file at once.
    """
    batch = await tx.one(sa.select(tables.batch).where(tables.batch.c.id == batch_id).with_for_update())
    if batch["status"] != "stored" or await _all_allowed(tx, batch_id):
        return False
    await tx.execute(tables.batch.update().where(tables.batch.c.id == batch_id).values(status="withdrawn"))
    submission = tables.submission
    await tx.execute(submission.update().where(submission.c.batch_id == batch_id).values(status="withdrawn"))
    for row in await store.submissions_of_batch(tx, batch_id):
        claim = await store.load(tx, row["claim_id"], lock=True)
        if claim.submission_id == row["id"] and claim.can(Step.NEVER_ARRIVED):
            with telemetry.share("claims.withdrawn", claim.traceparent):
                await move(tx, claim, Step.NEVER_ARRIVED, words=WORDS)
                await scrub.run(tx, claim.id)
    return True


async def _all_allowed(tx: Transaction, batch_id: str) -> bool:
    rows = await tx.all(_PROTECTED, {"batch": batch_id})
    return all([await disclosure.allowed(tx, row["patient_id"], row["detail"], row["payer_id"]) for row in rows])


_PROTECTED = sa.text("""
    select c.patient_id, s.payer_id, e.detail
    from submission s join claim c on c.id = s.claim_id join encounter e on e.id = c.encounter_id
    where s.batch_id = :batch and (e.detail #>> '{sensitivity,part2_program}')::boolean
""")
