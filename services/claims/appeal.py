"""A denial is contested, decided against, or given up: always by a person, always with a reason."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from libs.common import tasks, timers
from libs.common.db import Row, Transaction
from libs.common.ids import new_id
from libs.common.problems import Conflict, NotFound
from services.claims import denials, next_payer, store, tables
from services.claims.domain import Claim, Step
from services.claims.lifecycle import move

ANSWER_DUE = "claims.appeal"
ANSWER_DAYS = 60


async def file(tx: Transaction, denial_id: str, kind: str, letter_ref: str | None) -> Row:
    """The appeal is on record, the claim appealed, and its answer expected. Raises Conflict once it is too late."""
    case = await denials.load(tx, denial_id, lock=True)
    claim = await store.load(tx, case["claim_id"], lock=True)
    if case["status"] != "open":
        raise Conflict("state_conflict", f"A case that is {case['status']} cannot be appealed.")
    if tx.today > case["appeal_by"]:
        raise Conflict("appeal_too_late", f"The payer took appeals until {case['appeal_by'].isoformat()}.")
    level = 1 + int(await tx.scalar(sa.select(sa.func.count()).where(tables.appeal.c.denial_id == denial_id)) or 0)
    due_on = tx.today + timedelta(days=ANSWER_DAYS)
    row = await tx.one(
        tables.appeal.insert()
        .values(
            id=new_id("apl"),
            tenant_id=tx.tenant,
            practice_id=case["practice_id"],
            denial_id=denial_id,
            claim_id=claim.id,
            level=level,
            kind=kind,
            letter_ref=letter_ref,
            filed_on=tx.today,
            answer_due_on=due_on,
            status="filed",
            version=1,
            created_at=tx.now,
        )
        .returning(*tables.appeal.c)
    )
    if claim.can(Step.APPEAL):
        claim = await move(tx, claim, Step.APPEAL, words=f"{kind}, level {level}")
    tx.correlation_id = claim.encounter_id
    await denials.resolve(tx, case, "appealed")
    await timers.set(tx, ANSWER_DUE, row["id"], at=_morning(due_on))
    return row


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(9, 0), UTC)


async def answer(tx: Transaction, appeal_id: str, outcome: str) -> Row:
    """The payer has answered: upheld gives the case back to a person; overturned waits for the money."""
    row = await tx.first(sa.select(tables.appeal).where(tables.appeal.c.id == appeal_id).with_for_update())
    if row is None:
        raise NotFound("There is no such appeal.")
    if row["status"] != "filed":
        raise Conflict("state_conflict", "This appeal has been answered.")
    changed = await tx.one(
        tables.appeal.update()
        .where(tables.appeal.c.id == appeal_id)
        .values(status=outcome, version=row["version"] + 1)
        .returning(*tables.appeal.c)
    )
    await timers.clear(tx, ANSWER_DUE, appeal_id)
    await tasks.close(tx, subject_id=appeal_id, outcome=outcome)
    if outcome == "upheld":
        await _upheld(tx, row)
    return changed


async def _upheld(tx: Transaction, row: Row) -> None:
    case = await denials.load(tx, row["denial_id"], lock=True)
    claim = await store.load(tx, row["claim_id"], lock=True)
    tx.correlation_id = claim.encounter_id
    if case["status"] == "appealed":
        await denials.resolve(tx, case, "upheld", status="open")
        await denials.open_task(tx, case)
    others = await denials.of_claim(tx, claim.id, "appealed")
    if not others and claim.can(Step.UPHOLD):
        await move(tx, claim, Step.UPHOLD, words=f"appeal of level {row['level']} upheld the denial")


async def give_up(tx: Transaction, denial_id: str, resolution: str, why: str) -> Row:
    """A person decided: the amount is written off, or the patient is billed; the claim closes with its last case."""
    case = await denials.load(tx, denial_id, lock=True)
    claim = await store.load(tx, case["claim_id"], lock=True)
    if case["status"] not in {"open", "appealed"}:
        raise Conflict("state_conflict", f"A case that is {case['status']} cannot be given up.")
    if resolution == "billed_to_patient" and case["group_code"] != "PR":
        raise Conflict("not_the_patients", "The payer's group code does not let the patient be billed.")
    tx.correlation_id = claim.encounter_id
    await denials.resolve(tx, case, resolution)
    await _last_case(tx, claim, case, resolution, why)
    return await denials.load(tx, denial_id)


async def _last_case(tx: Transaction, claim: Claim, case: Row, resolution: str, why: str) -> None:
    live = await denials.of_claim(tx, claim.id, *denials.LIVE)
    step = Step.WRITE_OFF if resolution == "written_off" else Step.LEAVE_TO_PATIENT
    if live or not claim.can(step):
        return
    to_patient = 0 if resolution == "written_off" else case["amount_cents"]
    if await next_payer.after_denials(tx, claim, why, more_cents=to_patient) is None:
        changes: dict[str, Any] = {"clean": False}
        await move(tx, claim, step, words=why, **changes)


async def overdue(work: timers.Work, due: timers.Due) -> None:
    """An appeal that the payer has not answered in time is somebody's work."""
    async with work.db.transaction(due.tenant_id) as tx:
        row = await tx.first(sa.select(tables.appeal).where(tables.appeal.c.id == due.id))
        if row is not None and row["status"] == "filed":
            await tasks.open(
                tx,
                reason="appeal_unanswered",
                subject_type="appeal",
                subject_id=due.id,
                practice_id=row["practice_id"],
                owner="billing",
                due_on=tx.today,
                detail=f"filed on {row['filed_on'].isoformat()}, not answered",
            )
        await timers.done(tx, due)
