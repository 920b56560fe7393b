"""The rule pack is data, in force on the date of service."""

from datetime import date, timedelta

from services.claims.rules import in_force, pack


def test_every_rule_says_where_it_comes_from() -> None:
    assert all(rule.source and rule.code and rule.id for rule in pack())


def test_a_rule_holds_for_its_payers_from_its_first_day() -> None:
    rule = next(rule for rule in pack() if rule.id == "BH-TELE-002")
    assert rule.applies("pay_medicare", rule.effective_from)
    assert not rule.applies("pay_medicare", rule.effective_from - timedelta(days=1))
    assert not rule.applies("pay_harborbh", rule.effective_from)
    assert rule in in_force("pay_medicare", date(2026, 10, 5))
