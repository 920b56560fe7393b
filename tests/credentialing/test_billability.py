"""May this clinician bill this payer, here, on this date: yes, hold or no, and why."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.credentialing.billability import Answer, Place, Setting, Span, answer, billable_spans, merged
from services.credentialing.domain import Clinician, Credential, Enrollment, Status

VISIT = date(2026, 10, 5)
TEXAS = Place(id="loc_tx", state="TX")
OKLAHOMA = Place(id="loc_ok", state="OK")
PRACTICE = Setting(active=True, home=Place(id=None, state="TX"), places=(TEXAS,))
TWO_STATES = replace(PRACTICE, places=(TEXAS, OKLAHOMA))


def a_licence(state: str = "TX", start: str = "2024-01-01", end: str = "2027-12-31", number: str = "1") -> Credential:
    return Credential(
        id=f"lic_{state}{start}".lower().replace("-", ""),
        provider_id="prv_1",
        kind="licence",
        state=state,
        number=number,
        type="LCSW",
        effective_from=date.fromisoformat(start),
        expires_on=date.fromisoformat(end),
    )


def a_clinician(**changes: object) -> Clinician:
    values: dict[str, object] = {
        "id": "prv_1",
        "practice_ids": ("prc_1",),
        "npi": "1999999984",
        "first_name": "Dana",
        "last_name": "Quill",
        "taxonomy": "1041C0700X",
        "licences": (a_licence(),),
    }
    return Clinician(**values | changes)  # type: ignore[arg-type]


def an_enrollment(**changes: object) -> Enrollment:
    values: dict[str, object] = {
        "id": "enr_1",
        "provider_id": "prv_1",
        "practice_id": "prc_1",
        "payer_id": "pay_harborbh",
        "status": Status.EFFECTIVE,
        "status_since": date(2026, 1, 15),
        "effective_from": date(2026, 1, 1),
        "payer_loaded_on": date(2026, 1, 15),
    }
    return Enrollment(**values | changes)  # type: ignore[arg-type]


def ask(
    *found: Enrollment,
    clinician: Clinician | None = None,
    setting: Setting = PRACTICE,
    location: str | None = "loc_tx",
    on: date = VISIT,
) -> Answer:
    return answer(found, clinician or a_clinician(), setting, location, on)


def verdict(found: Answer) -> tuple[str, str]:
    return found.billable, found.reason


def test_an_effective_enrollment_and_a_licence_make_it_yes() -> None:
    found = ask(an_enrollment())
    assert verdict(found) == ("yes", "enrolled")
    assert found.licence is not None
    assert found.span == Span(date(2026, 1, 1))


def test_an_application_under_review_holds_the_claim() -> None:
    assert verdict(ask(an_enrollment(status=Status.IN_REVIEW))) == ("hold", "enrollment_in_progress")


def test_an_approval_is_not_enough_until_the_payer_has_loaded_it() -> None:
    assert verdict(ask(an_enrollment(status=Status.APPROVED))) == ("hold", "enrollment_not_loaded")


def test_nobody_started_an_enrollment() -> None:
    assert verdict(ask()) == ("no", "not_enrolled")


def test_a_denied_enrollment_is_a_no() -> None:
    assert verdict(ask(an_enrollment(status=Status.DENIED))) == ("no", "enrollment_denied")


def test_payers_rarely_pay_for_visits_before_the_effective_date() -> None:
    assert verdict(ask(an_enrollment(), on=date(2025, 12, 31))) == ("no", "before_effective_date")
    assert verdict(ask(an_enrollment(), on=date(2026, 1, 1))) == ("yes", "enrolled")


def test_the_last_day_of_a_terminated_enrollment_still_counts() -> None:
    ended = an_enrollment(status=Status.TERMINATED, effective_to=VISIT)
    assert verdict(ask(ended)) == ("yes", "enrolled")
    assert verdict(ask(ended, on=VISIT + timedelta(days=1))) == ("no", "enrollment_ended")


def test_a_location_that_the_payer_does_not_have_is_a_no() -> None:
    here = an_enrollment(location_ids=("loc_tx",))
    assert verdict(ask(here, setting=TWO_STATES, location="loc_ok")) == ("no", "location_not_enrolled")
    assert verdict(ask(here, setting=TWO_STATES, location="loc_nowhere")) == ("no", "location_unknown")


def test_an_expired_licence_holds_since_it_may_be_renewed() -> None:
    lapsed = a_clinician(licences=(a_licence(end="2026-09-30"),))
    assert verdict(ask(an_enrollment(), clinician=lapsed)) == ("hold", "licence_expired")
    assert verdict(ask(an_enrollment(), clinician=lapsed, on=date(2026, 9, 30))) == ("yes", "enrolled")


def test_a_licence_of_another_state_does_not_count() -> None:
    found = ask(an_enrollment(), setting=TWO_STATES, location="loc_ok")
    assert verdict(found) == ("no", "licence_missing")


def test_a_peer_specialist_needs_no_licence() -> None:
    assert verdict(ask(an_enrollment(), clinician=a_clinician(taxonomy="175T00000X", licences=()))) == (
        "yes",
        "enrolled",
    )


def test_a_new_enrollment_after_a_terminated_one_decides() -> None:
    old = an_enrollment(id="enr_0", status=Status.TERMINATED, effective_to=date(2026, 3, 31))
    new = an_enrollment(id="enr_1", status=Status.IN_REVIEW)
    assert verdict(ask(old, new)) == ("hold", "enrollment_in_progress")
    assert verdict(ask(old, new, on=date(2026, 3, 1))) == ("yes", "enrolled")


def test_somebody_who_left_cannot_bill() -> None:
    assert verdict(ask(an_enrollment(), clinician=a_clinician(practice_ids=("prc_2",)))) == (
        "no",
        "clinician_left_practice",
    )
    assert verdict(ask(an_enrollment(), clinician=a_clinician(status="inactive"))) == ("no", "clinician_inactive")


def spans(one: Enrollment, clinician: Clinician, setting: Setting = PRACTICE) -> list[tuple[str, str, object]]:
    return [(str(s.span.start), str(s.span.end), s.location_ids) for s in billable_spans(one, clinician, setting)]


def test_what_is_told_is_cut_by_the_licence() -> None:
    assert spans(an_enrollment(), a_clinician()) == [("2026-01-01", "2027-12-31", None)]


def test_a_gap_between_two_licences_is_a_gap_in_what_is_told() -> None:
    gap = a_clinician(licences=(a_licence(end="2026-03-31"), a_licence(start="2026-05-01", number="2")))
    assert spans(an_enrollment(), gap) == [
        ("2026-01-01", "2026-03-31", None),
        ("2026-05-01", "2027-12-31", None),
    ]


def test_a_renewal_on_the_next_day_leaves_no_gap() -> None:
    renewed = a_clinician(licences=(a_licence(end="2026-03-31"), a_licence(start="2026-04-01", number="2")))
    assert spans(an_enrollment(), renewed) == [("2026-01-01", "2027-12-31", None)]


def test_before_the_payer_has_loaded_it_nothing_is_billable() -> None:
    assert spans(an_enrollment(status=Status.APPROVED), a_clinician()) == []


def test_places_in_two_states_are_told_apart_only_where_they_differ() -> None:
    both = a_clinician(licences=(a_licence("TX"), a_licence("OK")))
    assert spans(an_enrollment(), both, TWO_STATES) == [("2026-01-01", "2027-12-31", None)]
    one = a_clinician(licences=(a_licence("TX"),))
    assert spans(an_enrollment(), one, TWO_STATES) == [("2026-01-01", "2027-12-31", ("loc_tx",))]


DAYS = st.integers(0, 40).map(lambda n: date(2026, 1, 1) + timedelta(days=n))
SPANS = st.tuples(DAYS, DAYS).map(lambda two: Span(*sorted(two)))


@given(st.lists(SPANS, max_size=6), DAYS)
def test_merging_spans_neither_adds_nor_loses_a_day(found: list[Span], day: date) -> None:
    whole = merged(found)
    assert any(span.covers(day) for span in whole) == any(span.covers(day) for span in found)
    assert all(a.end + timedelta(days=1) < b.start for a, b in pairwise(whole))


@given(
    licences=st.lists(st.tuples(SPANS, st.sampled_from(["TX", "OK"])), max_size=4),
    status=st.sampled_from(Status),
    begin=DAYS,
    location=st.sampled_from(["loc_tx", "loc_ok"]),
    day=DAYS,
)
def test_what_is_told_and_what_is_answered_never_differ(
    licences: list[tuple[Span, str]], status: Status, begin: date, location: str, day: date
) -> None:
    clinician = a_clinician(
        licences=tuple(a_licence(state, str(s.start), str(s.end), str(n)) for n, (s, state) in enumerate(licences))
    )
    one = an_enrollment(status=status, effective_from=begin, effective_to=date(2026, 2, 1))
    told = any(
        s.span.covers(day) and (s.location_ids is None or location in s.location_ids)
        for s in billable_spans(one, clinician, TWO_STATES)
    )
    assert told == (ask(one, clinician=clinician, setting=TWO_STATES, location=location, on=day).billable == "yes")
