"""What clearinghouse and payer answer: TA1, 999 and 277CA are pulled, kept raw, applied to each claim, confirmed."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from libs import x12
from libs.codes import claim_status
from libs.common import tasks, telemetry, timers
from libs.common.clearinghouse import HttpClearinghouse, MailItem, account_of, usage_of
from libs.common.db import Row, Transaction
from libs.common.ids import derived_id
from services.claims import build837, correct, store, submit, tables
from services.claims.domain import Step
from services.claims.lifecycle import move
from services.claims.settings import SETTINGS

KINDS = ("TA1", "999", "277CA")
REFUSED = frozenset({"R", "M", "W", "X"})
Answered = tuple[str, str]
"""A batch that was answered, and the practice whose it is."""


async def pull(work: timers.Work, due: timers.Due) -> None:
    """The mailbox holds no acknowledgement any more; looked into again tomorrow while an answer is missing."""
    async with work.db.transaction(due.tenant_id) as tx:
        account = await account_of(tx)
    if account is not None:
        clearinghouse = HttpClearinghouse(work.http, account, local=work.settings.local)
        for item in await clearinghouse.mailbox(KINDS):
            raw = await clearinghouse.fetch(item.id)
            async with work.db.transaction(due.tenant_id) as tx:
                await take(tx, item, raw)
            await clearinghouse.confirm(item.id)
    async with work.db.transaction(due.tenant_id) as tx:
        await timers.done(tx, due)
        if await _missing(tx):
            await submit.pull_next(tx)


async def _missing(tx: Transaction) -> bool:
    """Whether some submission of the last weeks has neither been accepted nor rejected."""
    since = tx.now - timedelta(days=SETTINGS.ask_for_days)
    found = await tx.scalar(
        sa.select(sa.literal(1))
        .select_from(tables.submission)
        .where(
            tables.submission.c.status == "sent",
            tables.submission.c.acknowledged.is_(None),
            tables.submission.c.created_at > since,
        )
        .limit(1)
    )
    return found is not None


async def take(tx: Transaction, item: MailItem, raw: bytes) -> None:
    """The item is kept and applied, once; the same item again changes nothing.

    A test's answer moves no claim where the account is not for tests: it is kept, and somebody is told.
    """
    kept = await tx.scalar(
        pg.insert(tables.acknowledgement)
        .values(
            tenant_id=tx.tenant,
            mail_id=item.id,
            kind=item.kind,
            raw=raw,
            received_at=tx.now,
            applied_at=tx.now,
            summary={},
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "mail_id"])
        .returning(tables.acknowledgement.c.mail_id)
    )
    if kept is None:
        return
    answered: list[Answered] = []
    usage, others = await usage_of(tx), set[str]()
    for record in x12.read(raw).records:
        said = record.envelope.counts_as
        others |= {said} - {usage}
        if (said, usage) == ("T", "P"):
            continue
        if isinstance(record, x12.InterchangeAcknowledgement):
            answered += await _interchange(tx, item, record)
        elif isinstance(record, x12.SyntaxAcknowledgement):
            answered += await _syntax(tx, item, record)
        elif isinstance(record, x12.ClaimAcknowledgement):
            answered += await _claims(tx, item, record)
    batches, practices = {one for one, _ in answered}, {practice for _, practice in answered}
    await tx.execute(
        tables.acknowledgement.update()
        .where(tables.acknowledgement.c.mail_id == item.id)
        .values(
            summary={"applied_to": len(answered)},
            batch_id=batches.pop() if len(batches) == 1 else None,
            practice_id=practices.pop() if len(practices) == 1 else None,
        )
    )
    for said in others:
        await _other_usage(tx, item, said)
    if not answered and not others:
        await _unmatched(tx, item)


async def _other_usage(tx: Transaction, item: MailItem, said: str) -> None:
    """The file says that it is a test, or is none, and the account says otherwise."""
    words = (
        "says that it is a test (ISA15 T), and the account at the clearinghouse is not for tests; it is kept and moves "
        "no claim: ask the clearinghouse how it has read the file that this answers"
        if said == "T"
        else "says that it is no test (ISA15 P), and the account at the clearinghouse is for tests; it is applied: ask "
        "the clearinghouse whether it takes claims of this account to payers"
    )
    await tasks.open(
        tx,
        reason="acknowledgement_test" if said == "T" else "acknowledgement_not_test",
        subject_type="acknowledgement",
        subject_id=derived_id("ack", tx.tenant, item.id),
        owner="operations",
        due_on=tx.today,
        detail=f"{item.kind} {item.id} from the mailbox {words}",
    )


async def _unmatched(tx: Transaction, item: MailItem) -> None:
    await tasks.open(
        tx,
        reason="acknowledgement_unmatched",
        subject_type="acknowledgement",
        subject_id=derived_id("ack", tx.tenant, item.id),
        owner="operations",
        due_on=tx.today,
        detail=f"{item.kind} {item.id} from the mailbox answers nothing that we sent",
    )


async def _batch(tx: Transaction, control_number: int) -> Row | None:
    """The batch of ours with that number; known to have arrived, since it is answered."""
    row = await tx.first(sa.select(tables.batch).where(tables.batch.c.control_number == control_number))
    if row is not None:
        await submit.confirm(tx, row["id"], None)
    return row


async def _interchange(tx: Transaction, item: MailItem, record: x12.InterchangeAcknowledgement) -> list[Answered]:
    batch = await _batch(tx, record.control_number)
    if batch is None:
        return []
    if record.code in REFUSED:
        words = f"TA1 refused the interchange (note {record.note})"
        await _reject_all(tx, item, batch, words)
    return [(batch["id"], batch["practice_id"])]


async def _syntax(tx: Transaction, item: MailItem, record: x12.SyntaxAcknowledgement) -> list[Answered]:
    if not record.group_control.strip().isdigit():
        return []
    batch = await _batch(tx, int(record.group_control))
    if batch is None:
        return []
    verdicts = {verdict.code for verdict in record.transactions} or {record.code}
    if record.code in REFUSED or (verdicts and verdicts <= REFUSED):
        await _reject_all(tx, item, batch, _first_error(record))
    return [(batch["id"], batch["practice_id"])]


def _first_error(record: x12.SyntaxAcknowledgement) -> str:
    """The place of the first fault, without the value that stood there."""
    for verdict in record.transactions:
        for error in verdict.errors:
            element = f" element {error.elements[0].position} ({error.elements[0].code})" if error.elements else ""
            return f"999 refused the file: {error.segment} at {error.position}, loop {error.loop}{element}"
    return f"999 refused the file ({record.code})"


async def _reject_all(tx: Transaction, item: MailItem, batch: Row, words: str, owner: str = "operations") -> None:
    for row in await store.submissions_of_batch(tx, batch["id"]):
        await _say(tx, item, row, "rejected", words, owner=owner)


async def _claims(tx: Transaction, item: MailItem, record: x12.ClaimAcknowledgement) -> list[Answered]:
    answered: list[Answered] = []
    for one in record.claims:
        row = await tx.first(sa.select(tables.submission).where(tables.submission.c.pcn == one.pcn))
        if row is None:
            continue
        await submit.confirm(tx, row["batch_id"], None)
        verdict = _verdict(one.statuses, accepted=one.accepted)
        words = "; ".join(_words(status) for status in one.statuses)
        owners = [claim_status.owner(status.code) for status in one.statuses]
        owner = next((who for who in owners if who != "billing"), "billing")
        await _say(tx, item, row, verdict, words, owner=owner, icn=one.payer_control_number or None)
        answered.append((row["batch_id"], row["practice_id"]))
    if record.batch is not None and not record.claims:
        answered += await _whole_file(tx, item, record.batch)
    return answered


async def _whole_file(tx: Transaction, item: MailItem, tally: x12.Tally) -> list[Answered]:
    """A 277CA may refuse a whole file at 2200B, without naming its claims."""
    number = tally.trace.removeprefix("B")
    batch = (
        await _batch(tx, int(number)) if number.isdigit() and tally.trace == build837.reference(int(number)) else None
    )
    if batch is None:
        return []
    if _verdict(tally.statuses, accepted=True) == "rejected":
        await _reject_all(tx, item, batch, "; ".join(_words(status) for status in tally.statuses), owner="billing")
    return [(batch["id"], batch["practice_id"])]


def _verdict(statuses: Iterable[x12.Status], *, accepted: bool) -> str:
    """rejected if any status rejects, accepted if one accepts, else received."""
    said = {claim_status.verdict(status.category) for status in statuses}
    said |= {"rejected" for status in statuses if status.action == "U"}
    if "rejected" in said or not accepted:
        return "rejected"
    return "accepted" if "accepted" in said else "received"


def _words(status: x12.Status) -> str:
    codes = ":".join(part for part in (status.category, status.code, status.entity) if part)
    return f"STC {codes}, {claim_status.describe(status.category, status.code, status.entity)}"


async def _say(
    tx: Transaction, item: MailItem, row: Row, verdict: str, words: str, *, owner: str, icn: str | None = None
) -> None:
    """What was said of the submission is on record, and its claim moves if it is the latest one and can."""
    await tx.execute(
        pg.insert(tables.claim_ack)
        .values(
            id=derived_id("cak", tx.tenant, item.id, row["id"], words),
            tenant_id=tx.tenant,
            practice_id=row["practice_id"],
            claim_id=row["claim_id"],
            submission_id=row["id"],
            mail_id=item.id,
            kind=item.kind,
            verdict=verdict,
            words=words,
            payer_control_number=icn,
            at=tx.now,
        )
        .on_conflict_do_nothing()
    )
    changes: dict[str, Any] = {"payer_control_number": icn} if icn else {}
    decided = {"acknowledged": verdict} if verdict in {"accepted", "rejected"} else {}
    if changes or decided:
        await tx.execute(
            tables.submission.update().where(tables.submission.c.id == row["id"]).values(**changes, **decided)
        )
    claim = await store.load(tx, row["claim_id"], lock=True)
    if claim.submission_id != row["id"]:
        return
    with telemetry.share("claims.acknowledged", claim.traceparent):
        if verdict == "accepted" and claim.can(Step.ACCEPT):
            await move(tx, claim, Step.ACCEPT, words=words, **changes)
        elif verdict == "rejected" and claim.can(Step.REJECT):
            claim = await move(tx, claim, Step.REJECT, reasons=("rejected",), owner=owner, words=words)
            await correct.sent_back(tx, claim)
