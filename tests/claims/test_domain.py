"""A claim's lifecycle."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.claims.domain import NEXT, OWNER, UNSENT, Claim, Content, IllegalStep, Line, Status, Step


def a_line(**changes: Any) -> Line:
    given_values: dict[str, Any] = {"id": "sln_1", "code": "90834", "charge_cents": 17500, "minutes": 45}
    return Line(**given_values | changes)


def a_claim(**changes: Any) -> Claim:
    content = Content(place_of_service="11", modality="in_person", diagnoses=("F331",), lines=(a_line(),))
    given_values: dict[str, Any] = {
        "id": "clm_1",
        "encounter_id": "enc_1",
        "practice_id": "prc_1",
        "patient_id": "pat_1",
        "external_id": "ehr-1",
        "service_date": date(2026, 10, 5),
        "content": content,
        "provider_npi": "1234567893",
    }
    return Claim(**given_values | changes)


def test_a_claim_goes_from_the_session_to_the_money() -> None:
    claim = a_claim()
    for step in (Step.WAIT, Step.PASS, Step.TRANSMIT, Step.CONFIRM, Step.ACCEPT, Step.PAY):
        claim = claim.take(step)
    assert (claim.status, claim.version, claim.owner) == (Status.PAID, 6, "nobody")


def test_a_denied_claim_can_be_corrected_and_then_paid() -> None:
    claim = a_claim(status=Status.DENIED)
    for step in (Step.CORRECT, Step.PASS, Step.TRANSMIT, Step.CONFIRM, Step.ACCEPT, Step.PAY):
        claim = claim.take(step)
    assert claim.status is Status.PAID


@given(st.sampled_from(Status), st.sampled_from(Step))
def test_every_step_either_follows_the_table_or_is_refused(status: Status, step: Step) -> None:
    claim = a_claim(status=status, rank=2)
    if (status, step) in NEXT:
        assert claim.take(step).status is NEXT[status, step]
        assert claim.can(step)
    else:
        with pytest.raises(IllegalStep):
            claim.take(step)


@pytest.mark.parametrize("status", UNSENT)
def test_what_no_payer_has_decided_on_is_not_left_to_the_patient(status: Status) -> None:
    with pytest.raises(IllegalStep):
        a_claim(status=status).take(Step.LEAVE_TO_PATIENT)
    assert a_claim(status=status, rank=2).take(Step.LEAVE_TO_PATIENT).status is Status.PATIENT_DUE


@given(st.lists(st.sampled_from(Step), max_size=30))
def test_no_way_leads_to_a_payer_but_through_a_stored_file(steps: list[Step]) -> None:
    claim = a_claim()
    transmitted = False
    for step in steps:
        if claim.can(step):
            claim = claim.take(step)
            transmitted = transmitted or step is Step.TRANSMIT
        if claim.status in {Status.SUBMITTED, Status.ACCEPTED, Status.PAID, Status.DENIED, Status.APPEALED}:
            assert transmitted


def test_a_void_claim_stays_void_and_every_state_has_an_owner() -> None:
    assert not [step for (status, step) in NEXT if status is Status.VOID]
    assert set(OWNER) == set(Status)


@given(st.sampled_from(Status))
def test_what_has_gone_out_cannot_be_taken_back_here(status: Status) -> None:
    assert a_claim(status=status).can(Step.VOID) is (status in {*UNSENT, Status.REJECTED})


def test_a_claim_is_named_by_its_leading_service() -> None:
    lines = (a_line(code="90785"), a_line(id="sln_2", code="90791"))
    claim = a_claim(content=Content(place_of_service="11", modality="in_person", diagnoses=("F331",), lines=lines))
    assert (claim.code_family, claim.charge_cents) == ("intake", 35000)


def test_a_line_bills_neither_nothing_nor_less() -> None:
    with pytest.raises(AssertionError):
        a_line(units=0)
    with pytest.raises(AssertionError):
        a_line(charge_cents=-1)
