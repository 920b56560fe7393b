"""May this clinician bill this payer for this practice, at this place, on this date of service; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.credentialing.domain import IN_PROGRESS, ON_FILE, UNLICENSED, Clinician, Credential, Enrollment, Status

END_OF_TIME: Final = date.max


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Dates of service, both inclusive; `end` is date.max where it is open."""

    start: date
    end: date = END_OF_TIME

    def covers(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A location of a practice, or the practice itself (`id` None)."""

    id: str | None
    state: str
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The practice that bills, and its locations."""

    active: bool
    home: Place
    places: tuple[Place, ...] = ()

    def find(self, location_id: str | None) -> Place | None:
        if location_id is None:
            return self.home
        return next((place for place in self.places if place.id == location_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedSpan:
    """Billable dates; `location_ids` None means wherever the enrollment holds."""

    span: Span
    location_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """yes, hold (it may still become yes: keep the claim) or no, with the reason and what it rests on."""

    billable: str
    reason: str
    words: str
    enrollment: Enrollment | None = None
    licence: Credential | None = None
    span: Span | None = None


def licensed_spans(clinician: Clinician, state: str) -> list[Span]:
    """When the clinician was licensed in the state; always, for a level that nobody licenses."""
    if clinician.level in UNLICENSED:
        return [Span(date.min)]
    return merged(Span(one.effective_from, one.expires_on) for one in clinician.licences if one.state == state)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same days without overlaps; spans that touch become one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and (found[-1].end == END_OF_TIME or span.start <= found[-1].end + timedelta(days=1)):
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def within(span: Span, limits: Iterable[Span]) -> list[Span]:
    """The parts of `span` that lie within one of the limits."""
    return [
        Span(max(span.start, limit.start), min(span.end, limit.end))
        for limit in limits
        if span.start <= limit.end and limit.start <= span.end
    ]


def billable_spans(enrollment: Enrollment, clinician: Clinician, setting: Setting) -> list[LocatedSpan]:
    """Every date of service on which the answer is yes; empty where the payer does not have the clinician on file.

    A licence counts by the state of each location; only where locations differ are spans given for each.
    """
    if enrollment.status not in ON_FILE or not setting.active or clinician.status != "active":
        return []
    if enrollment.practice_id not in clinician.practice_ids:
        return []
    assert enrollment.effective_from is not None, "an enrollment on file is dated"
    enrolled = Span(enrollment.effective_from, enrollment.effective_to or END_OF_TIME)
    groups: dict[tuple[Span, ...], list[str]] = {}
    for place in _enrolled_places(enrollment, setting):
        spans = tuple(within(enrolled, licensed_spans(clinician, place.state))) if place.active else ()
        groups.setdefault(spans, []).append(place.id or "")
    if len(groups) == 1:
        return [LocatedSpan(span=span) for span in next(iter(groups))]
    found = [LocatedSpan(span=span, location_ids=tuple(sorted(ids))) for spans, ids in groups.items() for span in spans]
    return sorted(found, key=lambda one: (one.span, one.location_ids))


def _enrolled_places(enrollment: Enrollment, setting: Setting) -> Sequence[Place]:
    """The locations that an enrollment holds for; the practice's own address where there are none."""
    if enrollment.location_ids is None:
        return [place for place in setting.places if place.active] or [setting.home]
    return [place for place in setting.places if place.id in enrollment.location_ids]


def answer(
    enrollments: Iterable[Enrollment],
    clinician: Clinician | None,
    setting: Setting | None,
    location_id: str | None,
    on: date,
) -> Answer:
    """The best answer that any of the clinician's enrollments with the payer and practice gives."""
    if clinician is None:
        return Answer(billable="no", reason="clinician_unknown", words="No clinician has this NPI here.")
    if clinician.status != "active":
        return Answer(billable="no", reason="clinician_inactive", words="The clinician is not active.")
    if setting is None or not setting.active:
        return Answer(billable="no", reason="practice_inactive", words="The practice is not active.")
    place = setting.find(location_id)
    if place is None or not place.active:
        return Answer(billable="no", reason="location_unknown", words="The practice has no such active location.")
    found = [_judge(one, clinician, place, on) for one in enrollments]
    if not found:
        return Answer(billable="no", reason="not_enrolled", words="No enrollment with this payer has been started.")
    return min(found, key=lambda one: ("yes", "hold", "no").index(one.billable))


def _judge(enrollment: Enrollment, clinician: Clinician, place: Place, on: date) -> Answer:
    """What one enrollment says."""
    refused = _not_on_file(enrollment) or _outside(enrollment, clinician, place, on)
    if refused is not None:
        return refused
    unlicensed = _unlicensed(enrollment, clinician, place, on)
    if unlicensed is not None:
        return unlicensed
    assert enrollment.effective_from is not None, "an enrollment on file is dated"
    licence = next((one for one in clinician.licences if one.state == place.state and _holds(one, on)), None)
    return Answer(
        billable="yes",
        reason="enrolled",
        words=f"On file with the payer since {enrollment.payer_loaded_on}, effective {enrollment.effective_from}.",
        enrollment=enrollment,
        licence=licence,
        span=Span(enrollment.effective_from, enrollment.effective_to or END_OF_TIME),
    )


def _not_on_file(enrollment: Enrollment) -> Answer | None:
    if enrollment.status is Status.APPROVED:
        return Answer(
            billable="hold",
            reason="enrollment_not_loaded",
            words="Approved, but the payer's claim system does not know the clinician yet.",
            enrollment=enrollment,
        )
    if enrollment.status in IN_PROGRESS:
        words = f"The enrollment is {enrollment.status.replace('_', ' ')} since {enrollment.status_since}."
        return Answer(billable="hold", reason="enrollment_in_progress", words=words, enrollment=enrollment)
    if enrollment.status not in ON_FILE:
        reason = f"enrollment_{enrollment.status}"
        words = f"The enrollment ended as {enrollment.status.replace('_', ' ')}."
        return Answer(billable="no", reason=reason, words=words, enrollment=enrollment)
    return None


def _outside(enrollment: Enrollment, clinician: Clinician, place: Place, on: date) -> Answer | None:
    """Where an enrollment on file does not reach: other practices, other locations, other dates."""

    def no(reason: str, words: str) -> Answer:
        return Answer(billable="no", reason=reason, words=words, enrollment=enrollment)

    if enrollment.practice_id not in clinician.practice_ids:
        return no("clinician_left_practice", "The clinician no longer belongs to this practice.")
    if enrollment.location_ids is not None and place.id is not None and place.id not in enrollment.location_ids:
        return no("location_not_enrolled", "The payer does not have the clinician at this location.")
    assert enrollment.effective_from is not None, "an enrollment on file is dated"
    if on < enrollment.effective_from:
        return no("before_effective_date", f"Effective from {enrollment.effective_from}; payers rarely go back.")
    if enrollment.effective_to is not None and on > enrollment.effective_to:
        return no("enrollment_ended", f"The enrollment ended on {enrollment.effective_to}.")
    return None


def _unlicensed(enrollment: Enrollment, clinician: Clinician, place: Place, on: date) -> Answer | None:
    """No licence in the state of the place: held if it ran out (it may be renewed), else refused."""
    if any(span.covers(on) for span in licensed_spans(clinician, place.state)):
        return None
    ran_out = [one for one in clinician.licences if one.state == place.state and one.expires_on < on]
    if ran_out:
        last = max(ran_out, key=lambda one: one.expires_on)
        words = f"The licence in {place.state} expired on {last.expires_on}."
        return Answer(billable="hold", reason="licence_expired", words=words, enrollment=enrollment, licence=last)
    words = f"No licence in {place.state} on that date."
    return Answer(billable="no", reason="licence_missing", words=words, enrollment=enrollment)


def _holds(licence: Credential, on: date) -> bool:
    return licence.effective_from <= on <= licence.expires_on
