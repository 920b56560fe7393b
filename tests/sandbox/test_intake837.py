"""What keeps a claim out of adjudication."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.claims837 import Claim, Person
from services.sandbox.intake837 import Known, Refusal, is_npi, names_match, refuse
from services.sandbox.plans import payers
from tests.sandbox.files import BILLING_NPI, NOT_LOADED_NPI, RENDERING_NPI
from tests.sandbox.scenes import MONDAY, a_claim, a_line, a_member

MEMBER = a_member()
DOE = a_claim().subscriber


def returned(claim: Claim, payer_id: str = "pay_harborbh", **known: Any) -> list[str]:
    """The statuses of the 277CA, as category:status:entity and the line."""
    found = refuse(claim, payers()[payer_id], Known(**({"member": MEMBER} | known)), MONDAY)
    return [":".join(filter(None, (one.category, one.status, one.entity, str(one.line or "")))) for one in found]


def test_a_good_claim_goes_on() -> None:
    assert returned(a_claim()) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"subscriber": replace(DOE, born=date(1980, 1, 2))}, "A7:158:IL"),
        ({"subscriber": replace(DOE, last="ROE")}, "A7:125:IL"),
        ({"billing": Person(last="X", id="1234567890", taxonomy="1")}, "A7:562:85"),
        ({"billing_tax_id": "74-1234567"}, "A7:128:85"),
        ({"billing_address": ("PO BOX 9", "AUSTIN", "TX", "787011234")}, "A7:503:85"),
        ({"billing_address": ("1 MAIN", "AUSTIN", "TX", "78701")}, "A7:500:85"),
        ({"rendering": Person(last="X", id="1234567890", taxonomy="1")}, "A7:562:82"),
        ({"frequency": "9"}, "A7:535"),
        ({"frequency": "7"}, "A6:464"),
        ({"frequency": "8", "original_reference": "ICN9"}, "A7:464"),
        ({"charge_cents": 1}, "A7:400"),
        ({"place": "77"}, "A7:249"),
        ({"diagnoses": ("F41.1",)}, "A7:255"),
        ({"sequence": "S"}, "A6:286"),
    ],
)
def test_each_fault_of_a_claim_has_its_status(changes: dict[str, Any], status: str) -> None:
    assert returned(replace(a_claim(), **changes)) == [status]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"code": "9083"}, "A7:454:1"),
        ({"modifiers": ("9!",)}, "A7:453:1"),
        ({"place": "77"}, "A7:249:1"),
        ({"pointers": (2,)}, "A8:477:1"),
        ({"pointers": ()}, "A8:477:1"),
        ({"units": 0}, "A7:476:1"),
        ({"date": date(2026, 10, 6)}, "A7:187:1"),
    ],
)
def test_each_fault_of_a_line_has_its_status(changes: dict[str, Any], status: str) -> None:
    assert returned(a_claim(a_line(**changes))) == [status]


def test_an_unknown_member_is_said_once_and_a_scenario_first() -> None:
    assert returned(a_claim(), member=None) == ["A3:33:IL"]
    forced = Refusal(category="A7", status="562", entity="85")
    assert returned(a_claim(), forced=forced) == ["A7:562:85"]


def test_a_replacement_goes_on_when_its_original_stands() -> None:
    again = a_claim(frequency="7", original_reference="ICN9")
    assert returned(again, original_stands=True) == []
    assert returned(again, "pay_medicare", original_stands=True) == ["A7:535"]


def test_medicaid_wants_both_taxonomies() -> None:
    bare = a_claim(billing=Person(last="X", id=BILLING_NPI), rendering=Person(last="Y", id=RENDERING_NPI))
    assert returned(bare, "pay_bluebonnet") == ["A6:145:85", "A6:145:82"]
    assert returned(bare) == []


@given(st.from_regex(r"[12][0-9]{8}", fullmatch=True))
def test_of_ten_last_digits_one_makes_an_npi(nine: str) -> None:
    assert [is_npi(nine + digit) for digit in "0123456789"].count(True) == 1


def test_known_npis() -> None:
    assert all(is_npi(npi) for npi in (BILLING_NPI, RENDERING_NPI, NOT_LOADED_NPI))


def test_names_are_compared_by_letters() -> None:
    member = a_member(last_name="O'Neil-Smith", first_name="Mary Jo")
    assert names_match(Person(last="ONEIL SMITH", first="MARY"), member)
    assert not names_match(Person(last="ONEIL", first="MARY"), member)
    assert not names_match(Person(last="ONEIL SMITH", first="ANN"), member)
