"""Where a line stands: the identity of the buckets at every moment, whatever payers and people do and in what order."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.remittance.domain.ledger import Buckets, moves
from services.remittance.domain.line import Decision, Resolution, Standing, stand
from services.remittance.domain.patient import Owed, apply_money


def a_decision(number: int = 1, **changes: object) -> Decision:
    return Decision(id=f"pst_{number}", order=(f"2026-10-{number:02d}",), **changes)  # type: ignore[arg-type]


def where(billed: int, *decisions: Decision) -> dict[str, int]:
    """The buckets that hold anything, without the charge."""
    found = stand(billed, decisions).buckets().cents()
    return {name.removesuffix("_cents"): amount for name, amount in found.items() if amount and name != "billed_cents"}


def test_a_charge_that_nobody_has_decided_is_in_flight() -> None:
    assert where(13500) == {"in_flight": 13500}


def test_a_paid_line_is_split_into_payment_contract_and_copay() -> None:
    assert where(13500, a_decision(paid=9300, contractual=1700, patient=2500)) == {
        "payer_paid": 9300, "contractual": 1700, "patient": 2500,
    }  # fmt: skip


def test_what_nobody_has_classified_stays_in_flight() -> None:
    assert where(13500, a_decision(paid=9300, contractual=1700)) == {
        "payer_paid": 9300, "contractual": 1700, "in_flight": 2500,
    }  # fmt: skip


def test_a_denial_waits_for_a_decision_and_is_never_written_off_by_itself() -> None:
    assert where(13500, a_decision(denied=13500)) == {"denied_open": 13500}


@pytest.mark.parametrize(
    ("resolution", "bucket"),
    [
        (None, "denied_open"),
        ("resubmitted", "in_flight"),
        ("appealed", "in_flight"),
        ("overturned", "in_flight"),
        ("upheld", "denied_open"),
        ("written_off", "written_off"),
        ("billed_to_patient", "patient"),
        ("a word of a later release", "denied_open"),
    ],
)
def test_what_becomes_of_a_denial(resolution: Any, bucket: Any) -> None:
    assert where(13500, a_decision(denied=13500, resolution=resolution)) == {bucket: 13500}


def test_a_claim_that_was_sent_again_is_in_flight_even_before_the_case_is_closed() -> None:
    assert where(13500, a_decision(denied=13500, resent=True)) == {"in_flight": 13500}


def test_a_resubmission_that_is_denied_again_is_one_open_denial() -> None:
    first = a_decision(1, denied=13500, resolution=Resolution.RESUBMITTED)
    assert where(13500, first, a_decision(2, denied=13500)) == {"denied_open": 13500}


def test_a_denied_line_that_is_paid_after_all() -> None:
    paid = a_decision(2, paid=9300, contractual=1700, patient=2500)
    for resolution in (None, *Resolution):
        assert where(13500, a_decision(1, denied=13500, resolution=resolution), paid) == {
            "payer_paid": 9300, "contractual": 1700, "patient": 2500,
        }, resolution  # fmt: skip


def test_a_refusal_as_duplicate_takes_nothing_from_a_paid_line() -> None:
    paid = a_decision(1, paid=9300, contractual=1700, patient=2500)
    standing = stand(13500, [paid, a_decision(2, denied=13500)])
    assert standing.denied_open == 0
    assert standing.shares["pst_2"].denied == 0


def test_a_refusal_as_duplicate_does_not_open_a_settled_denial() -> None:
    written_off = a_decision(1, denied=13500, resolution=Resolution.WRITTEN_OFF)
    assert where(13500, written_off, a_decision(2, denied=13500)) == {"written_off": 13500}


def test_a_payment_made_twice_is_a_credit_beside_the_charge() -> None:
    once = {"paid": 9300, "contractual": 1700, "patient": 2500}
    assert where(13500, a_decision(1, **once), a_decision(2, **once)) == {
        "payer_paid": 18600, "contractual": 1700, "patient": 2500, "credits": 9300,
    }  # fmt: skip


def test_a_payment_in_two_parts() -> None:
    assert where(13500, a_decision(1, paid=5000, contractual=1700), a_decision(2, paid=4300, patient=2500)) == {
        "payer_paid": 9300, "contractual": 1700, "patient": 2500,
    }  # fmt: skip


def test_the_patients_share_waits_in_flight_for_the_next_payer() -> None:
    first = a_decision(1, paid=8000, contractual=3500, patient=2000, awaits_next=True)
    assert where(13500, first) == {"payer_paid": 8000, "contractual": 3500, "in_flight": 2000}


def test_a_denial_that_a_person_left_to_the_patient_waits_for_the_next_payer_too() -> None:
    denied = a_decision(denied=13500, resolution="billed_to_patient", awaits_next=True)
    assert where(13500, denied) == {"in_flight": 13500}
    assert stand(13500, [denied]).awaits_next == 13500


def test_a_second_payers_contract_counts_only_against_what_the_first_left() -> None:
    first = a_decision(1, paid=8000, contractual=3500, patient=2000, awaits_next=True)
    second = a_decision(2, rank=2, paid=1500, contractual=4000)
    assert where(13500, first, second) == {"payer_paid": 9500, "contractual": 4000}
    assert stand(13500, [first, second]).shares["pst_2"].contractual == 500


def test_a_second_payer_decides_upon_the_first_even_where_its_money_is_dated_first() -> None:
    first = a_decision(2, paid=8000, contractual=3500, patient=2000)
    second = a_decision(1, rank=2, paid=2000)
    assert where(13500, second, first) == {"payer_paid": 10000, "contractual": 3500}


def test_a_second_payer_that_names_the_patients_share_is_believed() -> None:
    first = a_decision(1, paid=8000, contractual=3500, patient=2000)
    second = a_decision(2, rank=2, paid=1500, contractual=3500, patient=500)
    assert where(13500, first, second) == {"payer_paid": 9500, "contractual": 3500, "patient": 500}


def test_a_second_payer_that_refuses_leaves_what_the_first_left_denied() -> None:
    first = a_decision(1, paid=8000, contractual=3500, patient=2000, awaits_next=True)
    assert where(13500, first, a_decision(2, rank=2, denied=13500)) == {
        "payer_paid": 8000, "contractual": 3500, "denied_open": 2000,
    }  # fmt: skip


def test_a_voided_line_owes_nothing_and_what_was_paid_on_it_is_a_credit() -> None:
    assert where(0, a_decision(paid=9300, contractual=1700, patient=2500)) == {"payer_paid": 9300, "credits": 9300}


def test_money_withheld_is_a_receivable_of_its_own() -> None:
    assert where(10000, a_decision(paid=7840, contractual=160, patient=1500, withheld=500)) == {
        "payer_paid": 7840, "contractual": 160, "patient": 1500, "withheld": 500,
    }  # fmt: skip


amounts = st.integers(0, 20_000)
decisions = st.builds(
    Decision,
    id=st.uuids().map(str),
    order=st.tuples(st.dates().map(str)),
    rank=st.integers(1, 3),
    paid=amounts,
    contractual=st.integers(-500, 20_000),
    patient=amounts,
    denied=amounts,
    withheld=st.integers(0, 500),
    resolution=st.sampled_from([None, *Resolution]),
    resent=st.booleans(),
    awaits_next=st.booleans(),
)


@given(billed=amounts, history=st.lists(decisions, max_size=6), money=amounts, seed=st.randoms())
def test_every_charge_is_accounted_for_at_every_moment_and_in_every_order(
    billed: int, history: list[Decision], money: int, seed: random.Random
) -> None:
    """`Buckets` refuses a negative bucket and a charge that is not accounted for; the end does not depend on order."""
    before = Buckets()
    for known in range(len(history) + 1):
        after = _with_patient(stand(billed, history[:known]), money)
        assert sum(entry.amount_cents for entry in moves("sln_1", before, after)) == 0
        before = after
    shuffled = seed.sample(history, len(history))
    assert stand(billed, shuffled).buckets() == stand(billed, history).buckets()


@given(billed=amounts, history=st.lists(decisions, min_size=1, max_size=6))
def test_taking_back_a_decision_leaves_the_line_as_if_it_had_never_been_made(
    billed: int, history: list[Decision]
) -> None:
    with_it, without = stand(billed, history), stand(billed, history[:-1])
    back = moves("sln_1", with_it.buckets(), without.buckets())
    forth = moves("sln_1", without.buckets(), with_it.buckets())
    assert {(e.account, -e.amount_cents) for e in back} == {(e.account, e.amount_cents) for e in forth}


@given(billed=amounts, history=st.lists(decisions, max_size=6), change=amounts)
def test_a_replacement_may_bill_more_or_less(billed: int, history: list[Decision], change: int) -> None:
    moves("sln_1", stand(billed, history).buckets(), stand(change, history).buckets())


def _with_patient(standing: Standing, money: int) -> Buckets:
    owed = Owed(line_id="sln_1", order=("1",), responsibility=standing.responsibility, paid=0)
    applied, _ = apply_money([owed], money)
    return standing.buckets(patient_paid=applied["sln_1"].paid)
