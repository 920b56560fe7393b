"""Scenarios strike whom they are meant for."""

from datetime import date

from services.sandbox.scenarios import DENIALS, FAULTS, Faults, Scenario
from tests.sandbox.scenes import MONDAY


def test_a_scenario_strikes_one_member_date_and_attempt() -> None:
    one = Scenario(member_id="W1", fault="deny_197", service_date=MONDAY)
    assert one.strikes("pay_harborbh", "W1", MONDAY, 1)
    assert not one.strikes("pay_harborbh", "W2", MONDAY, 1)
    assert not one.strikes("pay_harborbh", "W1", date(2026, 10, 6), 1)
    assert not one.strikes("pay_harborbh", "W1", MONDAY, 2)


def test_without_a_date_or_with_attempt_zero_it_strikes_each() -> None:
    every = Scenario(member_id="W1", fault="deny_50", attempt=0, payer_id="pay_summit")
    assert every.strikes("pay_summit", "W1", MONDAY, 7)
    assert not every.strikes("pay_medicare", "W1", MONDAY, 7)


def test_what_a_scenario_asks_for() -> None:
    asked = [
        Scenario(member_id="W1", fault="reject_277ca", params={"category": "A6", "status": "145"}),
        Scenario(member_id="W1", fault="underpay", params={"percent": 93}),
        Scenario(member_id="W1", fault="deny_197"),
    ]
    faults = Faults.of(asked, "pay_harborbh", "W1", MONDAY, 1)
    refusal, denial = faults.refusal(), faults.denial()
    assert refusal is not None
    assert (refusal.category, refusal.status, refusal.entity) == ("A6", "145", "85")
    assert denial == DENIALS["deny_197"]
    assert faults.fee_percent() == 93
    assert Faults(()).refusal() is None
    assert Faults(()).denial() is None


def test_every_fault_says_what_it_does() -> None:
    assert all(text.endswith(".") for text in FAULTS.values())
    assert not set(FAULTS) & set(DENIALS)
