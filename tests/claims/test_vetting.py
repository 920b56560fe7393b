"""What no schema can say of an encounter."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.problems import Invalid
from services.claims.vetting import content_hash, natural_key, vet
from services.claims.views import EncounterIn
from tests.claims.conftest import an_encounter

TODAY = date(2026, 10, 5)


def session(**changes: Any) -> EncounterIn:
    return EncounterIn.model_validate(an_encounter(**changes))


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"providers": {"rendering": {"npi": "1234567890"}}}, "/providers/rendering/npi", "npi_invalid"),
        ({"service": {"date": "2026-10-08"}}, "/service/date", "in_the_future"),
        ({"patient": {"dob": "2026-10-06"}}, "/patient/dob", "after_service"),
        ({"lines": [], "service": {"kind": None}}, "/service/kind", "required"),
        ({"diagnoses": [{"rank": 2, "code": "F33.1"}]}, "/diagnoses", "ranks_have_gaps"),
        ({"lines": [{"code": "90834", "dx_pointers": [3]}]}, "/lines/0/dx_pointers", "no_such_diagnosis"),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(changes: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        vet(session(**changes), TODAY)
    assert (pointer, code) in [(error.pointer, error.code) for error in refused.value.errors]


def test_a_payer_that_nobody_knows_and_a_subscriber_that_nobody_named() -> None:
    coverages = [
        {"rank": 1, "payer": {"id": "pay_nowhere"}, "member_id": "U1"},
        {"rank": 1, "payer": {"id": "pay_summit"}, "member_id": "U2", "relationship": "child"},
    ]
    with pytest.raises(Invalid) as refused:
        vet(session(coverages=coverages), TODAY)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [
        ("/coverages/0/payer/id", "payer_unknown"),
        ("/coverages/1/subscriber", "required"),
        ("/coverages", "rank_repeated"),
    ]


def test_who_carried_a_message_does_not_make_it_another() -> None:
    def hashed(**changes: Any) -> str:
        return content_hash(session(**changes).model_dump(mode="json"))

    assert hashed() == hashed(source={"event_id": "e-5"}, metadata={"appt": "2"})
    assert hashed() != hashed(service={"psychotherapy_minutes": 50})


@given(st.integers(0, 10), st.integers(0, 10))
def test_sessions_are_the_same_if_patient_day_clinician_service_and_start_are(one: int, other: int) -> None:
    def at(hours: int) -> str:
        day = TODAY - timedelta(days=hours)
        return natural_key(session(service={"date": day.isoformat(), "start": None, "stop": None}))

    assert (at(one) == at(other)) is (one == other)
