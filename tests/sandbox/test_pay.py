"""When payers pay, and how a payment that is never negative is composed."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.pay import (
    Takeback,
    adjudication_time,
    business_day_after,
    chance,
    claim_number,
    compose,
    deposit_date,
    interest_cents,
    payment_time,
    release_time,
    trace_number,
)
from services.sandbox.plans import payers
from services.sandbox.remit835 import ClaimPaid, ProviderAdjustment
from tests.sandbox.paid import a_claim_paid
from tests.sandbox.scenes import MONDAY

HARBOR = payers()["pay_harborbh"]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


def test_what_comes_before_ten_in_the_evening_is_adjudicated_the_same_day() -> None:
    assert adjudication_time(at(5, 18)) == at(5, 22)
    assert adjudication_time(at(5, 22)) == at(6, 22)


@pytest.mark.parametrize(
    ("payer_id", "decided", "paid"),
    [
        ("pay_harborbh", 5, at(6, 23)),  # Monday, paid on Tuesday
        ("pay_harborbh", 6, at(6, 23)),
        ("pay_harborbh", 7, at(9, 23)),
        ("pay_bluebonnet", 6, at(7, 23)),
        ("pay_bluebonnet", 7, at(14, 23)),  # a day's lag misses this Wednesday
        ("pay_medicare", 5, at(19, 23)),  # thirteen days end on a Sunday
        ("pay_summit", 5, at(5, 23)),
    ],
)
def test_each_payer_has_its_days(payer_id: str, decided: int, paid: datetime) -> None:
    assert payment_time(payers()[payer_id], date(2026, 10, decided)) == paid


def test_an_835_is_there_at_four_and_the_money_on_a_banking_day() -> None:
    assert release_time(at(9, 23)) == at(10, 4)
    assert business_day_after(date(2026, 10, 9)) == date(2026, 10, 12)
    assert deposit_date("ACH", date(2026, 10, 12)) == date(2026, 10, 12)
    assert deposit_date("CHK", date(2026, 10, 9)) == date(2026, 10, 14)


def test_interest_begins_after_the_payers_term() -> None:
    assert interest_cents(HARBOR, MONDAY, date(2026, 11, 4), 10000) == 0  # thirty days
    assert interest_cents(HARBOR, MONDAY, date(2026, 11, 14), 10000) == 49  # 10 days of 18 % on 100.00
    assert interest_cents(payers()["pay_meridian"], MONDAY, date(2027, 1, 1), 10000) == 0


def test_interest_is_given_a_takeback_taken() -> None:
    paid = a_claim_paid(10000, interest_cents=50)
    composed = compose((paid,), (Takeback(icn="OLD", cents=4000),), 0, "", "T1")
    assert composed.adjustments == (
        ProviderAdjustment(code="L6", reference=paid.icn, cents=-50),
        ProviderAdjustment(code="WO", reference="OLD", cents=4000),
    )
    assert composed.carried_cents == 0


def test_a_takeback_takes_what_there_is_and_the_rest_later() -> None:
    composed = compose(
        (a_claim_paid(3000),), (Takeback(icn="A", cents=2000), Takeback(icn="B", cents=2000)), 0, "", "T"
    )
    assert composed.taken == (Takeback(icn="A", cents=2000), Takeback(icn="B", cents=1000))


def test_what_a_payment_lacks_is_carried_into_the_next() -> None:
    first = compose((a_claim_paid(8000, reversal=True), a_claim_paid(5000)), (), 0, "", "T1")
    assert first.adjustments == (ProviderAdjustment(code="FB", reference="T1", cents=-3000),)
    second = compose((a_claim_paid(10000),), (), first.carried_cents, "T1", "T2")
    assert second.adjustments == (ProviderAdjustment(code="FB", reference="T1", cents=3000),)


def amount(claims: tuple[ClaimPaid, ...], adjustments: tuple[ProviderAdjustment, ...]) -> int:
    return sum(part.paid_cents for part in claims) - sum(pair.cents for pair in adjustments)


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 50000), st.booleans(), st.integers(0, 500)), min_size=1, max_size=5),
            st.lists(st.integers(1, 40000), max_size=3),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_over_any_run_of_payments_none_is_negative_and_no_cent_is_lost(
    runs: list[tuple[list[tuple[int, bool, int]], list[int]]],
) -> None:
    carried, received, owed, taken_in_all = 0, 0, 0, 0
    for number, (parts, wanted) in enumerate(runs):
        claims = tuple(
            a_claim_paid(cents, reversal=reversal, interest_cents=0 if reversal else interest)
            for cents, reversal, interest in parts
        )
        takebacks = tuple(Takeback(icn=f"I{n}", cents=cents) for n, cents in enumerate(wanted))
        composed = compose(claims, takebacks, carried, f"T{number - 1}", f"T{number}")
        money = amount(claims, composed.adjustments)
        assert money >= 0
        assert money == 0 or composed.carried_cents == 0
        carried = composed.carried_cents
        received += money
        owed += sum(part.paid_cents + part.interest_cents for part in claims)
        taken_in_all += sum(taken.cents for taken in composed.taken)
    assert received == owed - taken_in_all + carried


def test_numbers_depend_on_content_alone() -> None:
    assert claim_number(HARBOR, MONDAY, "P1", "W1") == claim_number(HARBOR, MONDAY, "P1", "W1")
    assert claim_number(HARBOR, MONDAY, "P1", "W1") != claim_number(HARBOR, MONDAY, "P2", "W1")
    assert claim_number(HARBOR, MONDAY, "P1").startswith("HB26278")
    assert trace_number(HARBOR, MONDAY, "X").startswith("HB261005")
    assert trace_number(payers()["pay_summit"], MONDAY, "X").isdigit()


@given(st.permutations([f"file {n}" for n in range(20)]))
def test_faults_do_not_depend_on_the_order_of_arrival(order: list[str]) -> None:
    struck = {content for content in order if chance("seed", content) < 0.3}
    assert struck == {f"file {n}" for n in range(20) if chance("seed", f"file {n}") < 0.3}
    assert struck != {content for content in order if chance("other seed", content) < 0.3}
