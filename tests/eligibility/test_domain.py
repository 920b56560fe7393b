"""Which sessions get authorized units: by date and the EHR's number, never by who came first."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.eligibility.domain import (
    NEXT,
    Authorization,
    IllegalStep,
    Share,
    Status,
    Step,
    Want,
    allocate,
    retry_after,
)

DAY = date(2026, 10, 5)


def a_grant(**changes: object) -> Authorization:
    values: dict[str, object] = {
        "id": "ath_1",
        "patient_id": "pat_1",
        "practice_id": "prc_1",
        "payer_id": "pay_bluebonnet",
        "number": "A1",
        "codes": ("90837",),
        "approved_units": 1,
        "effective_from": date(2026, 10, 1),
        "effective_to": date(2026, 12, 31),
    }
    return Authorization(**values | changes)  # type: ignore[arg-type]


def a_want(encounter_id: str = "enc_1", **changes: object) -> Want:
    values: dict[str, object] = {
        "encounter_id": encounter_id,
        "external_id": encounter_id,
        "practice_id": "prc_1",
        "payer_id": "pay_bluebonnet",
        "kind": "prior",
        "service_date": DAY,
        "rendering_npi": "1999999984",
        "units_by_code": {"90837": 1},
    }
    return Want(**values | changes)  # type: ignore[arg-type]


def outcome(want: Want, *grants: Authorization) -> str:
    return allocate(grants, [want])[want.encounter_id].outcome


def test_a_session_reserves_a_visit() -> None:
    assert allocate([a_grant()], [a_want()]) == {"enc_1": Share(outcome="reserved", authorization_id="ath_1", units=1)}


def test_units_of_fifteen_minutes_are_taken_by_their_number() -> None:
    hours = a_grant(unit="unit15", codes=("H0004",), approved_units=8)
    assert allocate([hours], [a_want(units_by_code={"H0004": 4})])["enc_1"].units == 4


@pytest.mark.parametrize(
    "change",
    [
        {"codes": ("90834",)},
        {"payer_id": "pay_summit"},
        {"effective_from": DAY + timedelta(days=1)},
        {"effective_to": DAY - timedelta(days=1)},
        {"rendering_npi": "1234567893"},
        {"practice_id": "prc_2"},
        {"kind": "eap"},
        {"status": Status.DENIED},
    ],
)
def test_an_authorization_for_something_else_leaves_it_missing(change: dict[str, object]) -> None:
    assert outcome(a_want(), a_grant(**change)) == "missing"


def test_the_first_and_the_last_day_count() -> None:
    assert outcome(a_want(service_date=date(2026, 10, 1)), a_grant()) == "reserved"
    assert outcome(a_want(service_date=date(2026, 12, 31)), a_grant()) == "reserved"


def test_the_earlier_session_gets_the_last_unit_whichever_arrived_first() -> None:
    early, late = a_want("enc_b", service_date=DAY), a_want("enc_a", service_date=DAY + timedelta(days=1))
    for order in ([early, late], [late, early]):
        shares = allocate([a_grant()], order)
        assert (shares["enc_b"].outcome, shares["enc_a"].outcome) == ("reserved", "exhausted")


def test_a_claimed_session_keeps_its_unit_even_from_an_earlier_one() -> None:
    late = a_want("enc_a", service_date=DAY + timedelta(days=1), fixed=True, authorization_id="ath_1", units=1)
    shares = allocate([a_grant()], [late, a_want("enc_b")])
    assert (shares["enc_a"].outcome, shares["enc_b"].outcome) == ("reserved", "exhausted")


def test_the_exact_code_then_the_earliest_end_is_used_first() -> None:
    any_code = a_grant(id="ath_0", codes=(), effective_to=date(2026, 10, 31))
    ends_later = a_grant(id="ath_1")
    ends_first = a_grant(id="ath_2", effective_to=date(2026, 11, 30))
    assert allocate([any_code, ends_later, ends_first], [a_want()])["enc_1"].authorization_id == "ath_2"


def test_the_number_that_the_session_names_is_used() -> None:
    named = a_grant(id="ath_2", number="A2")
    assert allocate([a_grant(), named], [a_want(number="A2")])["enc_1"].authorization_id == "ath_2"


def test_a_number_that_we_do_not_know_is_passed_on_as_unknown() -> None:
    assert outcome(a_want(number="Z9"), a_grant()) == "unknown"


def test_a_session_that_needs_none_is_never_stopped_for_want_of_one() -> None:
    assert outcome(a_want(otherwise="not_required", number="Z9")) == "not_required"
    assert outcome(a_want(otherwise="unknown")) == "unknown"
    assert outcome(a_want(otherwise="unknown"), a_grant()) == "reserved"


WANTS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["90837", "H0004"]), st.integers(1, 4)), max_size=8).map(
    lambda rows: [
        a_want(f"enc_{n}", service_date=DAY + timedelta(days=day), units_by_code={code: units})
        for n, (day, code, units) in enumerate(rows)
    ]
)
GRANTS = st.lists(st.tuples(st.sampled_from([("90837",), ("H0004",), ()]), st.integers(0, 9)), max_size=4).map(
    lambda rows: [
        a_grant(id=f"ath_{n}", number=f"A{n}", codes=codes, approved_units=units, unit="unit15")
        for n, (codes, units) in enumerate(rows)
    ]
)


@given(GRANTS, WANTS, st.randoms())
def test_arrival_changes_nothing_and_no_unit_is_given_twice(
    grants: list[Authorization], wants: list[Want], chance: random.Random
) -> None:
    shares = allocate(grants, wants)
    shuffled_grants, shuffled_wants = grants[:], wants[:]
    chance.shuffle(shuffled_grants)
    chance.shuffle(shuffled_wants)
    assert allocate(shuffled_grants, shuffled_wants) == shares
    for grant in grants:
        given_out = sum(share.units for share in shares.values() if share.authorization_id == grant.id)
        assert given_out <= grant.approved_units


@given(GRANTS, WANTS)
def test_sharing_out_again_changes_nothing(grants: list[Authorization], wants: list[Want]) -> None:
    shares = allocate(grants, wants)
    sent = [
        replace(
            want,
            fixed=shares[want.encounter_id].outcome == "reserved",
            authorization_id=shares[want.encounter_id].authorization_id,
            units=shares[want.encounter_id].units,
        )
        for want in wants
    ]
    assert allocate(grants, sent) == shares


@given(st.sampled_from(Status), st.sampled_from(Step))
def test_every_step_either_follows_the_table_or_is_refused(status: Status, step: Step) -> None:
    grant = a_grant(status=status)
    if (status, step) in NEXT:
        assert grant.take(step).status is NEXT[status, step]
    else:
        with pytest.raises(IllegalStep):
            grant.take(step)


def test_a_warning_comes_at_80_percent() -> None:
    assert not a_grant(approved_units=10, consumed_units=7).nearly_used
    assert a_grant(approved_units=10, consumed_units=5, reserved_units=3).nearly_used
    assert not a_grant(approved_units=1, consumed_units=1).nearly_used


def test_a_silent_payer_is_asked_seven_more_times() -> None:
    waits = [retry_after(attempt) for attempt in range(1, 9)]
    assert waits[0] == timedelta(minutes=15)
    assert waits[-1] is None
    assert None not in waits[:-1]
