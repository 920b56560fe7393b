"""Enrollments: from the application to the payer's load, and what is told when the billable truth changes."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from libs.common import outbox, tasks, timers
from libs.common.db import Transaction
from libs.common.events.credentialing import BillableSpan, EnrollmentChanged
from libs.common.http import FieldError, Invalid, NotFound, check_version
from libs.common.ids import new_id
from libs.common.timers import Due, Work
from services.credentialing import store
from services.credentialing.billability import END_OF_TIME, Answer, LocatedSpan, answer, billable_spans
from services.credentialing.domain import FOLLOW_UP_DAYS, Enrollment, Status, Step, follow_up_on
from services.credentialing.views import EnrollmentBody, StepBody

BEGIN = "credentialing.begin"
FOLLOW_UP = "credentialing.follow_up"
MORNING = time(8, tzinfo=UTC)
ASK_AGAIN = "enrollment_follow_up"


async def start(tx: Transaction, body: EnrollmentBody) -> Enrollment:
    """The enrollment is on record, at the point where it already stands with the payer."""
    await _check_parties(tx, body)
    one = Enrollment(
        id=new_id("enr"),
        status_since=tx.today,
        **body.model_dump(exclude={"location_ids"}),
        location_ids=tuple(sorted(body.location_ids)) if body.location_ids else None,
        next_follow_up=follow_up_on(body.status, tx.today),
    )
    if one.status in (Status.LOADED, Status.EFFECTIVE):
        begun = one.effective_from is not None and one.effective_from <= tx.today
        one = replaced(one, {"status": Status.EFFECTIVE if begun else Status.LOADED})
    one.check_dates()
    _check_days(tx, one)
    await store.save_enrollment(tx, one, created=True, step="start")
    await _settle(tx, one)
    return one


async def step(tx: Transaction, one: Enrollment, body: StepBody) -> Enrollment:
    """The enrollment has taken the step, begun if its date has come, and what that changes is told."""
    on = body.on or tx.today
    if on > tx.today:
        raise Invalid([FieldError("/on", "in_future", "A step is recorded once it has happened.")])
    given = body.model_dump(exclude={"step", "on"}, exclude_none=True)
    if body.step is Step.LOAD:
        given.setdefault("payer_loaded_on", on)
    if body.step is Step.REINSTATE:
        given.setdefault("effective_to", None)
    moved = replaced(one, given).take(body.step, on=on)
    moved = replaced(moved, {"next_follow_up": follow_up_on(moved.status, on)})
    _check_days(tx, moved)
    await store.save_enrollment(tx, moved, created=False, step=body.step)
    await tasks.close(tx, subject_id=one.id, reason=ASK_AGAIN)
    if moved.status is Status.LOADED and moved.effective_from is not None and moved.effective_from <= tx.today:
        moved = moved.take(Step.BEGIN, on=moved.effective_from)
        await store.save_enrollment(tx, moved, created=False, step=Step.BEGIN)
    await _settle(tx, moved)
    return moved


def replaced(one: Enrollment, values: Mapping[str, Any]) -> Enrollment:
    """The enrollment with other dates, at the same version and in the same state; dates are checked by the step."""
    return Enrollment(**{name: values.get(name, getattr(one, name)) for name in Enrollment.__dataclass_fields__})


async def correct(tx: Transaction, one: Enrollment, changes: Mapping[str, Any], expected: int | None) -> Enrollment:
    """The enrollment's dates, places or references are as given, and what that changes is told."""
    check_version(expected, one.version)
    places = changes.get("location_ids", one.location_ids)
    await _check_places(tx, one.practice_id, places)
    corrected = one.changed(**{**changes, "location_ids": None if places is None else tuple(sorted(places))})
    _check_days(tx, corrected)
    await store.save_enrollment(tx, corrected, created=False, step="correct")
    await _settle(tx, corrected)
    return corrected


async def read(tx: Transaction, enrollment_id: str, *, lock: bool = False) -> Enrollment:
    """The enrollment, or NotFound."""
    row = await store.enrollment_row(tx, enrollment_id, lock=lock)
    if row is None:
        raise NotFound
    return store.enrollment_of(row)


async def billability(
    tx: Transaction, *, npi: str, practice_id: str, payer_id: str, location_id: str | None, on: date
) -> Answer:
    """May this clinician bill this payer for this practice, there, on that date of service."""
    clinician = await store.clinician_by_npi(tx, npi)
    setting = await store.setting(tx, practice_id)
    found = []
    if clinician is not None:
        found = await store.find_enrollments(tx, provider_id=clinician.id, practice_id=practice_id, payer_id=payer_id)
    return answer(found, clinician, setting, location_id, on)


async def _check_parties(tx: Transaction, body: EnrollmentBody) -> None:
    clinician = await store.clinician(tx, body.provider_id)
    if clinician is None:
        raise Invalid([FieldError("/provider_id", "unknown", "There is no such clinician.")])
    if body.practice_id not in clinician.practice_ids:
        raise Invalid([FieldError("/practice_id", "not_theirs", "The clinician does not work for this practice.")])
    await _check_places(tx, body.practice_id, body.location_ids)


async def _check_places(tx: Transaction, practice_id: str, location_ids: Any) -> None:
    if location_ids is None:
        return
    setting = await store.setting(tx, practice_id)
    known = {place.id for place in setting.places} if setting else set()
    wrong = [place for place, location_id in enumerate(location_ids) if location_id not in known]
    if wrong:
        raise Invalid([
            FieldError(f"/location_ids/{n}", "unknown", "The practice has no such location.") for n in wrong
        ])  # fmt: skip


def _check_days(tx: Transaction, one: Enrollment) -> None:
    if one.payer_loaded_on is not None and one.payer_loaded_on > tx.today:
        raise Invalid([FieldError("/payer_loaded_on", "in_future", "The payer has not loaded it yet.")])


async def _settle(tx: Transaction, one: Enrollment) -> None:
    """Timers stand as the state asks, the truth is told if it changed, and the held claims' task is up to date."""
    if one.status is Status.LOADED and one.effective_from is not None:
        await timers.set(tx, BEGIN, one.id, at=datetime.combine(one.effective_from, time(0, tzinfo=UTC)))
    else:
        await timers.clear(tx, BEGIN, one.id)
    if one.next_follow_up is not None:
        await timers.set(tx, FOLLOW_UP, one.id, at=datetime.combine(one.next_follow_up, MORNING))
    else:
        await timers.clear(tx, FOLLOW_UP, one.id)
    await tell(tx, one.id)


async def begin(work: Work, due: Due) -> None:
    """The effective date of a loaded enrollment has come."""
    async with work.db.transaction(due.tenant_id) as tx:
        row = await store.enrollment_row(tx, due.id, lock=True)
        one = None if row is None else store.enrollment_of(row)
        if one is not None and one.status is Status.LOADED:
            begun = one.take(Step.BEGIN, on=due.at.date())
            await store.save_enrollment(tx, begun, created=False, step=Step.BEGIN)
            await tell(tx, one.id)
        await timers.done(tx, due)


async def follow_up(work: Work, due: Due) -> None:
    """Nothing has been heard of an application for its usual time: somebody has a task to ask, and again later."""
    async with work.db.transaction(due.tenant_id) as tx:
        row = await store.enrollment_row(tx, due.id, lock=True)
        one = None if row is None else store.enrollment_of(row)
        if one is None or one.status not in FOLLOW_UP_DAYS:
            await timers.done(tx, due)
            return
        day = due.at.date()
        await tasks.open(
            tx,
            reason=ASK_AGAIN,
            subject_type="enrollment",
            subject_id=one.id,
            practice_id=one.practice_id,
            owner="credentialing",
            due_on=day,
            detail=f"Ask {one.payer_id} how it stands: {one.status} since {one.status_since}",
        )
        following = day + timedelta(days=FOLLOW_UP_DAYS[one.status])
        await timers.set(tx, FOLLOW_UP, one.id, at=datetime.combine(following, MORNING))


async def tell_all(tx: Transaction, *, provider_id: str | None = None, practice_id: str | None = None) -> None:
    """Every enrollment of the clinician or the practice whose truth has changed is told."""
    for one in await store.find_enrollments(tx, provider_id=provider_id, practice_id=practice_id):
        await tell(tx, one.id)


async def tell(tx: Transaction, enrollment_id: str) -> None:
    """enrollment.changed is out if, and only if, what it says differs from what it said last.

    The row is locked before clinician and practice are read, so of two changes at once the later sees both.
    """
    row = await store.enrollment_row(tx, enrollment_id, lock=True)
    assert row is not None, "an enrollment is never deleted"
    one = store.enrollment_of(row)
    clinician = await store.clinician(tx, one.provider_id)
    setting = await store.setting(tx, one.practice_id)
    assert setting is not None, "an enrollment has its practice"
    spans = [] if clinician is None else billable_spans(one, clinician, setting)
    event = EnrollmentChanged(
        enrollment_id=one.id,
        provider_id=one.provider_id,
        practice_id=one.practice_id,
        payer_id=one.payer_id,
        location_ids=None if one.location_ids is None else list(one.location_ids),
        status=one.status,
        billable=[_told(span) for span in spans],
    )
    told = event.model_dump(mode="json")
    if told == row["told"]:
        return
    await store.tell(tx, one.id, told, row["told_sequence"] + 1)
    await outbox.add(tx, event, sequence=row["told_sequence"] + 1)


def _told(one: LocatedSpan) -> BillableSpan:
    return BillableSpan(
        effective_from=one.span.start,
        effective_to=None if one.span.end == END_OF_TIME else one.span.end,
        location_ids=None if one.location_ids is None else list(one.location_ids),
    )
