"""At the cut, what is ready goes out: one 837P for each payer and practice, numbered and stored before it is sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from libs import x12
from libs.codes import payers
from libs.common import outbox, tasks, telemetry, timers
from libs.common.clearinghouse import Account, ClearinghouseRefused, HttpClearinghouse, Receipt, account_of, zone_of
from libs.common.clock import at_hour, next_time
from libs.common.crashpoints import crashpoint
from libs.common.db import Row, Transaction
from libs.common.ids import new_id
from services.claims import build837, correct, coverages, gather, next_payer, settle, store, tables, tell, withdraw
from services.claims.build837 import Material
from services.claims.domain import Claim, Status, Step
from services.claims.lifecycle import CUT, ask, move, next_cut
from services.claims.settings import SETTINGS, business_days

SEND, PULL, SILENCE, UNDECIDED = "claims.send", "claims.acknowledge", "claims.silence", "claims.undecided"
WITH_THE_PAYER = (Status.SUBMITTED, Status.ACCEPTED)
TRY_AGAIN = frozenset({401, 403, 408, 425})
"""Refusals that are about us and not about the file."""


async def cut(work: timers.Work, due: timers.Due) -> None:
    """Every claim of this payer and practice that was ready by the cut is in a stored, numbered 837P.

    The timer goes first, so that a claim which becomes ready while this runs sets it anew.
    """
    practice_id, payer_id, _stamp = due.id.split(".")
    async with work.db.transaction(due.tenant_id) as tx:
        await timers.done(tx, due)
        account = await account_of(tx)
        if account is None:
            await _no_account(tx, due, practice_id)
            return
        claims = await _ready(tx, practice_id, payer_id, due.at)
        if claims:
            await _store_batch(tx, account, claims, due.at)
        if len(claims) == SETTINGS.claims_in_a_batch:
            await timers.set(tx, CUT, due.id, at=due.at)


async def _ready(tx: Transaction, practice_id: str, payer_id: str, cut_at: datetime) -> list[Claim]:
    rows = await tx.all(
        sa.select(tables.claim)
        .where(
            tables.claim.c.status == Status.READY.value,
            tables.claim.c.practice_id == practice_id,
            tables.claim.c.payer_id == payer_id,
            tables.claim.c.cut_at <= cut_at,
        )
        .order_by(tables.claim.c.service_date, tables.claim.c.external_id, tables.claim.c.id)
        .limit(SETTINGS.claims_in_a_batch)
        .with_for_update()
    )
    return [store.claim_of(row) for row in rows]


async def _no_account(tx: Transaction, due: timers.Due, practice_id: str) -> None:
    await tasks.open(
        tx,
        reason="clearinghouse_account_missing",
        subject_type="practice",
        subject_id=practice_id,
        practice_id=practice_id,
        owner="operations",
        due_on=tx.today,
        detail="claims are ready and no clearinghouse account has been set up",
    )
    await timers.set(tx, CUT, due.id, at=await next_cut(tx))


async def _store_batch(tx: Transaction, account: Account, claims: Sequence[Claim], cut_at: datetime) -> None:
    """Numbers and bytes are on record, and the claims in doubt until their outcome is known."""
    drafts = [await gather.material(tx, claim) for claim in claims]
    writable = await _hold_unwritable(tx, account, drafts)
    if not writable:
        return
    number = await store.next_number(tx, f"isa/{account.submitter_id}/{account.receiver_id}")
    first = writable[0]
    records = tuple(build837.claim_record(material) for material in writable)
    body = build837.file(account, first.practice, number, tx.now, records)
    batch_id = new_id("bat")
    await tx.execute(
        tables.batch.insert().values(
            id=batch_id,
            tenant_id=tx.tenant,
            practice_id=first.claim.practice_id,
            payer_id=first.payer.id,
            submitter_id=account.submitter_id,
            receiver_id=account.receiver_id,
            control_number=number,
            status="stored",
            claims=len(writable),
            charge_cents=sum(record.charge_cents for record in records),
            tries=0,
            file=body,
            cut_at=cut_at,
            created_at=tx.now,
        )
    )
    for material, record in zip(writable, records, strict=True):
        with telemetry.share("claims.batch", material.claim.traceparent):
            await _store_submission(tx, batch_id, material, record)
    await timers.set(tx, SEND, batch_id, at=tx.now)


async def _hold_unwritable(tx: Transaction, account: Account, drafts: Sequence[Material]) -> list[Material]:
    """Claims that no 837P can carry are held for a person; the others go on."""
    if _writable(tx, account, drafts):
        return list(drafts)
    good = []
    for material in drafts:
        if _writable(tx, account, [material]):
            good.append(material)
        else:
            words = "a value of the claim, its patient, clinician or practice cannot be written into an 837P"
            await _back_to_person(tx, material.claim, words)
    return good


def _writable(tx: Transaction, account: Account, drafts: Sequence[Material]) -> bool:
    records = tuple(build837.claim_record(material) for material in drafts)
    try:
        build837.file(account, drafts[0].practice, 1, tx.now, records)
    except x12.Unwritable:
        return False
    return True


async def _back_to_person(tx: Transaction, claim: Claim, words: str) -> None:
    await move(tx, claim, Step.HOLD, reasons=("unwritable",), words=words)


async def _store_submission(tx: Transaction, batch_id: str, material: Material, record: x12.Claim) -> None:
    claim, submission_id = material.claim, new_id("sub")
    lines = [
        {
            "line_id": line.id,
            "line_control": control,
            "code": line.code,
            "modifiers": list(line.modifiers),
            "charge_cents": line.charge_cents or 0,
            "units": line.units,
        }
        for line, control in zip(claim.content.sent_lines, material.line_controls, strict=True)
    ]
    await tx.execute(
        tables.submission.insert().values(
            id=submission_id,
            tenant_id=tx.tenant,
            practice_id=claim.practice_id,
            claim_id=claim.id,
            batch_id=batch_id,
            payer_id=claim.payer_id,
            rank=claim.rank,
            attempt=claim.attempts + 1,
            frequency=record.frequency,
            pcn=material.pcn,
            replaces=claim.submission_id if record.frequency == "7" else None,
            original_reference=record.original_reference or None,
            status="stored",
            member_id=build837.member_id(material),
            lines=lines,
            charge_cents=record.charge_cents,
            created_at=tx.now,
        )
    )
    await move(
        tx,
        claim,
        Step.TRANSMIT,
        attempts=claim.attempts + 1,
        submission_id=submission_id,
        words=f"{material.pcn} in batch {batch_id}",
    )


async def send(work: timers.Work, due: timers.Due) -> None:
    """The batch is at the clearinghouse, once; a batch that was tried before is asked about before it goes again."""
    async with work.db.transaction(due.tenant_id) as tx:
        batch = await tx.one(sa.select(tables.batch).where(tables.batch.c.id == due.id).with_for_update())
        account = await account_of(tx)
        if batch["status"] != "stored" or account is None:
            await timers.done(tx, due)
            return
        await tx.execute(tables.batch.update().where(tables.batch.c.id == due.id).values(tries=batch["tries"] + 1))
    crashpoint("send.tried")
    clearinghouse = HttpClearinghouse(work.http, account, local=work.settings.local)
    number = f"{batch['control_number']:09d}"
    receipt: Receipt | None = None
    try:
        if batch["tries"]:
            receipt = await clearinghouse.find(batch["submitter_id"], number)
        if receipt is None:
            async with work.db.transaction(due.tenant_id) as tx:
                if await withdraw.if_revoked(tx, due.id):
                    await timers.done(tx, due)
                    return
            receipt = await clearinghouse.send(batch["file"], batch["submitter_id"], number)
    except ClearinghouseRefused as refused:
        if refused.status in TRY_AGAIN:
            raise
        async with work.db.transaction(due.tenant_id) as tx:
            await refuse(tx, due.id, f"the clearinghouse refused the file with {refused.status}")
            await timers.done(tx, due)
        return
    crashpoint("send.sent")
    async with work.db.transaction(due.tenant_id) as tx:
        await confirm(tx, due.id, receipt.file_id)
        await timers.done(tx, due)


async def confirm(tx: Transaction, batch_id: str, file_id: str | None) -> None:
    """The batch is known to have arrived, and each of its claims is told as submitted; twice changes nothing."""
    batch = await tx.one(sa.select(tables.batch).where(tables.batch.c.id == batch_id).with_for_update())
    if batch["status"] != "stored":
        return
    await tx.execute(
        tables.batch.update()
        .where(tables.batch.c.id == batch_id)
        .values(status="sent", file_id=file_id, sent_at=tx.now)
    )
    for row in await store.submissions_of_batch(tx, batch_id):
        await _confirm_claim(tx, row)
    await pull_next(tx)
    silent_since = business_days(tx.today, payers.payer(batch["payer_id"], tx.today).silence_business_days)
    await timers.set(tx, SILENCE, batch_id, at=at_hour(silent_since, SETTINGS.silence_at, await zone_of(tx)))


async def pull_next(tx: Transaction) -> None:
    """The mailbox is looked into at the next hour for it."""
    there = await zone_of(tx)
    at = next_time(tx.now, SETTINGS.pull_at, there)
    await timers.set(tx, PULL, f"mailbox.{at.astimezone(there):%Y%m%d}", at=at)


async def _confirm_claim(tx: Transaction, row: Row) -> None:
    await tx.execute(tables.submission.update().where(tables.submission.c.id == row["id"]).values(status="sent"))
    claim = await store.load(tx, row["claim_id"], lock=True)
    with telemetry.share("claims.submitted", claim.traceparent):
        if claim.submission_id == row["id"] and claim.can(Step.CONFIRM):
            claim = await move(tx, claim, Step.CONFIRM)
        tx.correlation_id = claim.encounter_id
        following = await coverages.after(tx, claim, row["rank"])
        told = tell.claim_submitted(tx, claim, row, next_payer=following is not None)
        await outbox.add(tx, told, sequence=claim.version)
        if claim.rank > 1:
            await next_payer.expect(tx, claim)
        await correct.resubmitted(tx, claim)
        await settle.apply(tx, claim)


async def refuse(tx: Transaction, batch_id: str, words: str) -> None:
    """The file was never taken: its claims are back with a person."""
    batch = await tx.one(sa.select(tables.batch).where(tables.batch.c.id == batch_id).with_for_update())
    if batch["status"] != "stored":
        return
    await tx.execute(tables.batch.update().where(tables.batch.c.id == batch_id).values(status="refused"))
    for row in await store.submissions_of_batch(tx, batch_id):
        await tx.execute(tables.submission.update().where(tables.submission.c.id == row["id"]).values(status="refused"))
        claim = await store.load(tx, row["claim_id"], lock=True)
        if claim.submission_id == row["id"] and claim.can(Step.REFUSE):
            await move(tx, claim, Step.REFUSE, reasons=("file_refused",), words=words, clean=False)


async def silence(work: timers.Work, due: timers.Due) -> None:
    """Whoever of the batch has no answer after two business days has a task; its decisions are waited for from now."""
    async with work.db.transaction(due.tenant_id) as tx:
        for row in await store.submissions_of_batch(tx, due.id):
            claim = await store.load(tx, row["claim_id"])
            if row["acknowledged"] is None and claim.status is Status.SUBMITTED and claim.submission_id == row["id"]:
                detail = f"batch {due.id} was sent and nobody has answered"
                await ask(tx, claim, "no_acknowledgement", detail, within_days=1)
        await _look_again(tx, due.id)
        await timers.done(tx, due)


async def _look_again(tx: Transaction, batch_id: str) -> None:
    day = tx.today + timedelta(days=SETTINGS.undecided_days)
    await timers.set(tx, UNDECIDED, batch_id, at=at_hour(day, SETTINGS.silence_at, await zone_of(tx)))


async def undecided(work: timers.Work, due: timers.Due) -> None:
    """A claim of the batch that its first payer still has is somebody's work, looked at anew until it is decided.

    A later payer is asked after by `next_payer.unanswered`, which also knows of claims that were passed on.
    """
    async with work.db.transaction(due.tenant_id) as tx:
        await timers.done(tx, due)
        standing = False
        for row in await store.submissions_of_batch(tx, due.id):
            claim = await store.load(tx, row["claim_id"])
            if claim.submission_id == row["id"] and claim.rank == 1 and claim.status in WITH_THE_PAYER:
                standing = True
                detail = (
                    f"sent on {row['created_at']:%Y-%m-%d} in {due.id}, and the payer has not decided: ask the payer"
                )
                await ask(tx, claim, "payer_undecided", detail, within_days=2)
        if standing:
            await _look_again(tx, due.id)
