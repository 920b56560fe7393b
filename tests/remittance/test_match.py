"""Which of our lines a payer speaks of; where it is not certain, nobody guesses."""

from datetime import date
from typing import Any

import pytest

from services.remittance.domain.era import EraLine, key_of
from services.remittance.match import match_lines
from services.remittance.store.claims import SentLine
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line

ON = date(2026, 10, 5)


def ours(n: int, procedure: str = "90834", modifiers: tuple[str, ...] = ("95",), charge: int = 13500) -> SentLine:
    return SentLine(
        line_id=f"sln_{n}", position=n, control=f"L{n}", procedure=procedure, modifiers=modifiers, service_date=ON,
        charge_cents=charge,
    )  # fmt: skip


def said(procedure: str = "90834", modifiers: tuple[str, ...] = ("95",), charge: int = 13500, **more: Any) -> EraLine:
    return EraLine(
        procedure=procedure, modifiers=modifiers, charge_cents=charge, paid_cents=0, **{"service_date": ON, **more}
    )


def matched(sent: list[SentLine], *lines: EraLine) -> list[str] | None:
    found = match_lines(sent, lines)
    return None if found is None else sorted(found)


def test_our_line_number_goes_before_everything() -> None:
    assert matched([ours(1), ours(2, "90785")], said("99999", control="L2")) == ["sln_2"]


def test_then_code_modifiers_date_and_charge() -> None:
    assert matched([ours(1), ours(2, modifiers=("GT",))], said(modifiers=("GT",))) == ["sln_2"]


def test_then_code_and_date_when_the_payer_dropped_the_modifier() -> None:
    assert matched([ours(1), ours(2, "90785")], said(modifiers=())) == ["sln_1"]


def test_a_code_that_the_payer_changed_is_found_by_what_we_submitted() -> None:
    assert matched([ours(1, "90837")], said("90834", submitted_procedure="90837")) == ["sln_1"]


def test_two_lines_that_could_both_be_meant_are_neither() -> None:
    assert matched([ours(1, charge=100), ours(2, charge=200)], said(charge=300)) is None


def test_two_lines_that_nothing_tells_apart_are_taken_in_order() -> None:
    assert matched([ours(1), ours(2)], said(), said()) == ["sln_1", "sln_2"]


def test_a_line_that_the_payer_split_is_added_up() -> None:
    found = match_lines([ours(1)], [said(charge=10000, control="L1"), said(charge=3500, control="L1")])
    assert found is not None
    assert [part.charge_cents for part in found["sln_1"]] == [10000, 3500]


def test_a_line_that_is_not_ours_matches_nothing() -> None:
    assert matched([ours(1)], said("H0004")) is None


@pytest.mark.parametrize(
    ("one", "other"), [("P100", "p100"), ("00P100", "P100"), ("P-100", "P100"), ("P100 ", "P100"), ("000", "")]
)
def test_control_numbers_are_compared_without_what_payers_change(one: Any, other: Any) -> None:
    assert key_of(one) == key_of(other)


async def test_without_our_number_member_date_and_charge_decide_if_only_one_fits(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [era] = await books.receive(an_835(answer("0", line(13500, 9300, *PAID))))
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert (await books.remittance(era))["claims"][0]["match"] == {"method": "member_date_charge"}


async def test_two_visits_on_one_day_are_not_guessed_between(books: Books) -> None:
    await books.send(Sent("P1"))
    await books.send(Sent("P2"))
    await books.receive(an_835(answer("0", line(13500, 9300, *PAID))))
    assert [waits["reason"] for waits in await books.waiting()] == ["unmatched"]
