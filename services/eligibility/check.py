"""The check: a 270 to the payer for each session, its 271 kept as it came and read, or a person who knows why not."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final, Literal

import orjson

from libs import x12
from libs.codes import payers
from libs.common import tasks, timers
from libs.common.clearinghouse import Account, ClearinghouseRefused, HttpClearinghouse, account_of
from libs.common.db import Row, Transaction
from libs.common.ids import new_id
from libs.common.timers import Due, Work
from services.eligibility import ask, conclude, route, store
from services.eligibility import tables as t
from services.eligibility.benefits import Asked, Benefits, read
from services.eligibility.domain import retry_after
from services.eligibility.refusals import outcome_of, refusal

CHECK: Final = "eligibility.check"
FAILED: Final = "eligibility_check_failed"
OPEN: Final = ("pending", "asking")
NOT_ADMITTED: Final = frozenset({401, 403, 404})
"""The account is not right; nothing is wrong with the question, which waits."""


class NotReady(Exception):
    """The question cannot be asked yet: the practice or the clearinghouse account is not known here."""


class WrongAnswer(Exception):
    """The answer is not to our question."""


async def start(
    tx: Transaction, session: Mapping[str, Any], coverage: Mapping[str, Any], *, routed_from: str | None = None,
    payer_id: str | None = None,
) -> str:  # fmt: skip
    """A check is on record and will be made at once; its id."""
    check_id = new_id("elg")
    names = ("practice_id", "patient_id", "encounter_id", "service_date", "place_of_service", "services", "eap")
    values = {name: session[name] for name in names} | {
        "id": check_id,
        "coverage_id": coverage["id"],
        "payer_id": payer_id or coverage["payer_id"],
        "routed_from": routed_from,
        "status": "pending",
        "attempt": 1,
        "reject_reasons": [],
        "created_at": tx.now,
    }
    await store.insert(tx, t.check, values)
    await timers.set(tx, CHECK, check_id, at=tx.now)
    return check_id


async def make(work: Work, due: Due) -> None:
    """The check has its answer, or will be asked again later; asking the same twice is harmless."""
    async with work.db.transaction(due.tenant_id) as tx:
        row = await _locked(tx, due.id)
        prepared = await _prepare(tx, row) if row and row["status"] in OPEN else None
        if prepared is None:
            await timers.done(tx, due)
            return
    account, question = prepared
    try:
        answer = await HttpClearinghouse(work.http, account, local=work.settings.local).realtime(question)
    except ClearinghouseRefused as refused:
        if refused.status in NOT_ADMITTED:
            raise
        answer = b""
    async with work.db.transaction(due.tenant_id) as tx:
        row = await _locked(tx, due.id)
        if row is not None and row["status"] == "asking":
            wait = await _take(tx, row, answer)
            if wait is not None:
                await timers.set(tx, CHECK, due.id, at=tx.now + wait)
                return
        await timers.done(tx, due)


async def _locked(tx: Transaction, check_id: str) -> Row | None:
    """The check, after its patient's lock; what it causes belongs to its session."""
    seen = await store.find(tx, t.check, check_id)
    if seen is None:
        return None
    await store.lock_patient(tx, seen["patient_id"])
    tx.correlation_id = seen["encounter_id"] or check_id
    return await store.find(tx, t.check, check_id, lock=True)


async def _prepare(tx: Transaction, row: Row) -> tuple[Account, bytes] | None:
    """Number and bytes of the question are stored before it is sent; None if it can never be asked."""
    account = await account_of(tx)
    if account is None:
        raise NotReady("no clearinghouse account")
    assert tx.keyring is not None, "questions are sealed"
    if row["status"] == "asking":
        return account, tx.keyring.open(tx.tenant, row["question_sealed"], _context(row["id"]))
    practice = await store.practice(tx, row["practice_id"])
    if practice is None:
        raise NotReady("the practice is not known yet")
    payer = payers.payers().on(row["payer_id"], row["service_date"])
    if payer is None:
        await _fail(tx, row, {}, "rejected", ["payer_unknown"])
        return None
    number = await store.next_control_number(tx, account.submitter_id, account.receiver_id)
    asker = ask.Asker(account=account, name=practice["name"], npi=practice["npi"])
    patient, coverage = await _whom(tx, row)
    try:
        question = ask.question(
            asker, payer, patient, coverage, on=row["service_date"], control_number=number, created=tx.now
        )
    except x12.Unwritable:
        await _fail(tx, row, {}, "rejected", ["unwritable"])
        return None
    sealed = tx.keyring.seal(tx.tenant, question, _context(row["id"]))
    await store.update(
        tx, t.check, row["id"], {"status": "asking", "control_number": number, "question_sealed": sealed}
    )
    return account, question


async def _whom(tx: Transaction, row: Row) -> tuple[dict[str, Any], dict[str, Any]]:
    """The patient and the coverage that the check is about."""
    patient = await store.find(tx, t.patient, row["patient_id"])
    coverage = await store.find(tx, t.coverage, row["coverage_id"])
    assert patient is not None, "a check has its patient"
    assert coverage is not None, "a check has its coverage"
    return dict(patient), dict(coverage)


def _context(check_id: str) -> str:
    return f"eligibility_check/{check_id}"


def raw(tx: Transaction, row: Row, which: Literal["question", "answer"]) -> bytes | None:
    """Our question as it was sent, or the payer's answer as it came."""
    assert tx.keyring is not None, "questions and answers are sealed"
    sealed = row[f"{which}_sealed"]
    return None if sealed is None else tx.keyring.open(tx.tenant, sealed, _context(row["id"]))


async def _take(tx: Transaction, row: Row, answer: bytes) -> timedelta | None:
    """The answer is kept and acted on; how long to wait where the payer could not answer now."""
    assert tx.keyring is not None, "answers are sealed"
    found = _answer_to(row, answer)
    kept = {"answer_sealed": tx.keyring.seal(tx.tenant, answer, _context(row["id"]))}
    if found is None:
        await _fail(tx, row, kept, "rejected", ["unreadable"])
        return None
    codes = list(dict.fromkeys(one.reason for one in _rejections(found) if one.reason))
    if not codes:
        await _complete(tx, row, kept, found)
        return None
    outcome = outcome_of(codes)
    wait = retry_after(row["attempt"]) if outcome == "retry" else None
    if wait is not None:
        values = {**kept, "status": "pending", "attempt": row["attempt"] + 1, "reject_reasons": codes}
        await store.update(tx, t.check, row["id"], values)
        return wait
    await _fail(tx, row, kept, "rejected" if outcome == "retry" else outcome, codes)
    return None


def _answer_to(row: Row, answer: bytes) -> x12.EligibilityAnswer | None:
    """The answer about our question; None where there is none (a 999, a TA1, nothing that can be read)."""
    try:
        records = x12.read(answer).records
    except ValueError:  # not X12 at all
        return None
    found = [one for one in records if isinstance(one, x12.EligibilityResponse)]
    if not found or not found[0].answers:
        return None
    first = found[0].answers[0]
    returned = {one.number for one in first.traces if one.kind == "2"}
    if returned and ask.trace(row["control_number"]) not in returned:
        raise WrongAnswer(row["id"])
    return first


def _rejections(answer: x12.EligibilityAnswer) -> Sequence[x12.Rejection]:
    return answer.rejections or tuple(one for row in answer.benefits for one in row.rejections)


async def _fail(tx: Transaction, row: Row, kept: Mapping[str, Any], outcome: str, codes: list[str]) -> None:
    """The payer refused: the person who can mend it has a task, of the session's claim where there is a session."""
    values = {**kept, "status": "failed", "outcome": outcome, "reject_reasons": codes, "checked_at": tx.now}
    await store.update(tx, t.check, row["id"], values)
    first = refusal(codes[0])
    if row["encounter_id"] is None:
        await tasks.open(
            tx,
            reason=FAILED,
            subject_type="eligibility_check",
            subject_id=row["id"],
            practice_id=row["practice_id"],
            owner=first.owner,
            due_on=tx.today,
            detail=f"{row['payer_id']} refused {row['id']} with {', '.join(codes)}. {first.words}",
        )
    await conclude.refused(tx, {**row, **values}, owner=first.owner)


async def _complete(tx: Transaction, row: Row, kept: Mapping[str, Any], answer: x12.EligibilityAnswer) -> None:
    """The benefits are read; a carve-out goes on to its administrator, anything else is concluded."""
    procedures = tuple(dict.fromkeys(one["procedure"] for one in row["services"]))
    asked = Asked(
        service_date=row["service_date"],
        place_of_service=row["place_of_service"],
        procedures=procedures,
        eap=row["eap"],
    )
    benefits = read(answer, asked)
    outcome = "active" if benefits.active else "inactive"
    values = {**kept, "status": "completed", "outcome": outcome, "checked_at": tx.now, "reject_reasons": []}
    values["benefits"] = plain(benefits)
    await store.update(tx, t.check, row["id"], values)
    await tasks.close(tx, subject_id=row["id"], reason=FAILED)
    done = {**row, **values}
    administrator = route.administrator(row["payer_id"], benefits, row["service_date"]) if benefits.active else None
    if administrator is None or row["routed_from"] is not None or row["eap"]:
        await conclude.answered(tx, done, benefits, answer)
    elif administrator.payer_id is None:
        await _fail(tx, row, {"benefits": values["benefits"], **kept}, "rejected", ["administrator_unknown"])
    else:
        await route.keep(tx, done, administrator)
        coverage = await store.find(tx, t.coverage, row["coverage_id"])
        assert coverage is not None, "a check has its coverage"
        following = await start(tx, done, dict(coverage), routed_from=row["id"], payer_id=administrator.payer_id)
        await conclude.waits_for(tx, row, following)


def plain(benefits: Benefits) -> dict[str, Any]:
    """Benefits as JSON."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(asdict(benefits), default=str))
    return found
