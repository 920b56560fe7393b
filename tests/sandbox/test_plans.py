"""Plan data."""

from datetime import date

import pytest

from libs.codes import payers as codes
from services.sandbox.plans import payer_by_edi, payers


def test_there_are_five_payers_each_with_one_default_plan() -> None:
    assert sorted(payers()) == ["pay_bluebonnet", "pay_harborbh", "pay_medicare", "pay_meridian", "pay_summit"]
    for payer in payers().values():
        assert [plan.default for plan in payer.plans.values()].count(True) == 1
        assert payer_by_edi(payer.edi_id) is payer


@pytest.mark.parametrize(
    ("payer_id", "taxonomy", "fee"),
    [
        ("pay_medicare", "2084P0800X", 15450),
        ("pay_medicare", "103TC0700X", 15450),
        ("pay_medicare", "363LP0808X", 13133),  # 85 % of 154.50 is 131.325
        ("pay_medicare", "1041C0700X", 11588),  # 75 % is 115.875
        ("pay_harborbh", "1041C0700X", 11890),
        ("pay_bluebonnet", "101YP2500X", 8960),
    ],
)
def test_the_fee_depends_on_who_bills(payer_id: str, taxonomy: str, fee: int) -> None:
    rules = payers()[payer_id].rules_on(date(2026, 10, 5))
    assert rules.fee_cents("90837", rules.level(taxonomy, ())) == fee


def test_benefits_are_those_of_the_date_of_service() -> None:
    plan = payers()["pay_medicare"].plans["medicare_part_b"]
    assert plan.benefits_on(date(2025, 12, 31)).deductible_cents == 25700
    assert plan.benefits_on(date(2026, 1, 1)).deductible_cents == 28300


def test_a_carve_out_names_a_plan_that_is_there() -> None:
    for payer in payers().values():
        for plan in payer.plans.values():
            if plan.carve_out:
                there = payers()[plan.carve_out.payer_id]
                assert (there.edi_id, plan.carve_out.plan_id in there.plans) == (plan.carve_out.edi_id, True)


def test_payers_agree_with_what_the_platform_knows_of_them() -> None:
    day = date(2026, 10, 5)
    for payer in payers().values():
        published = codes.payer(payer.payer_id, day)
        assert published.edi_id == payer.edi_id
        assert published.timely_filing_days == payer.rules_on(day).timely_filing_days
        assert published.takes_replacement == ("7" in payer.intake.frequencies)
        assert set(published.authorization_codes) <= set(payer.rules_on(day).authorization_codes)
