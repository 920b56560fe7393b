"""Patients' money: the oldest debt first, never more than is owed, and free again when it is owed no longer."""

from hypothesis import given
from hypothesis import strategies as st

from services.remittance.domain.patient import Owed, apply_money


def owed(line: str, responsibility: int, *, paid: int = 0, written_off: int = 0) -> Owed:
    return Owed(line_id=line, order=(line,), responsibility=responsibility, paid=paid, written_off=written_off)


def paid(lines: list[Owed], money: int) -> tuple[dict[str, int], int]:
    applied, free = apply_money(lines, money)
    return {line: amount.paid for line, amount in applied.items()}, free


def test_a_copay_taken_before_the_share_is_known_waits() -> None:
    assert paid([owed("a", 0)], 2500) == ({"a": 0}, 2500)


def test_money_goes_to_the_oldest_line_first() -> None:
    assert paid([owed("b", 2000), owed("a", 2000)], 2500) == ({"a": 2000, "b": 500}, 0)


def test_money_stays_where_it_was_used() -> None:
    assert paid([owed("a", 2000), owed("b", 2000, paid=2000)], 2500) == ({"a": 500, "b": 2000}, 0)


def test_a_share_that_the_payer_takes_back_frees_the_money_for_another_line() -> None:
    assert paid([owed("a", 0, paid=2500), owed("b", 1000)], 2500) == ({"a": 0, "b": 1000}, 1500)


def test_a_refund_frees_the_newest_line_first() -> None:
    assert paid([owed("a", 2000, paid=2000), owed("b", 2000, paid=2000)], 3000) == ({"a": 2000, "b": 1000}, 0)


def test_what_was_let_go_is_not_paid_again() -> None:
    applied, free = apply_money([owed("a", 500, written_off=500)], 1000)
    assert (applied["a"].paid, applied["a"].written_off, free) == (0, 500, 1000)


lines = st.lists(
    st.builds(
        Owed,
        line_id=st.uuids().map(str),
        order=st.tuples(st.dates().map(str)),
        responsibility=st.integers(0, 5000),
        paid=st.integers(0, 5000),
    ),
    max_size=6,
    unique_by=lambda line: line.line_id,
)


@given(lines=lines, money=st.integers(0, 20_000))
def test_no_money_is_lost_and_none_lies_idle_while_something_is_owed(lines: list[Owed], money: int) -> None:
    applied, free = apply_money(lines, money)
    used = sum(amount.paid for amount in applied.values())
    assert used + free == money
    assert used == min(money, sum(line.responsibility for line in lines))
    assert all(amount.paid <= line.responsibility for line in lines for amount in [applied[line.line_id]])
