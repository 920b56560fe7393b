"""Key figures, on twelve claims of which a biller can count the answers by hand."""

from datetime import date

import pytest

from services.reporting import kpis
from services.reporting.kpis import Scope
from tests.conftest import TestDatabase
from tests.reporting.ledgers import TENANT, a_claim, a_month, a_payment, a_submission, emptied, project, record

OCTOBER = Scope(first=date(2026, 10, 1), last=date(2026, 10, 31))


@pytest.fixture
async def month(module_database: TestDatabase) -> TestDatabase:
    await emptied(module_database)
    await project(module_database.open("reporting"), a_month())
    return module_database


async def test_of_twelve_claims_four_are_denied_at_the_first_decision(month: TestDatabase) -> None:
    async with month.open("reporting").transaction(TENANT) as tx:
        denied = await kpis.denial_rate(tx, OCTOBER)
        paid = await kpis.first_pass_payment_rate(tx, OCTOBER)
        (reason,) = await kpis.denials_by_payer_and_reason(tx, OCTOBER)
    assert (denied.numerator, denied.denominator, denied.value) == (4, 12, 0.3333)
    assert (paid.numerator, paid.denominator) == (8, 12)
    assert (reason["reason_code"], reason["claims"], reason["denied_cents"]) == ("197", 4, 70_000)
    assert reason["rate"] == 0.3333


async def test_a_claim_paid_only_the_second_time_is_no_first_pass_payment(month: TestDatabase) -> None:
    database = month.open("reporting")
    await project(database, [record(a_payment(0, 17_500, posting=2), 2, "remittance")])
    async with database.transaction(TENANT) as tx:
        assert (await kpis.first_pass_payment_rate(tx, OCTOBER)).numerator == 8


async def test_the_first_decision_is_the_payers_first_whichever_came_first_here(month: TestDatabase) -> None:
    database = month.open("reporting")
    second, first = a_payment(90, 17_500, posting=2), a_payment(90, 0)
    await project(database, [record(second, 2, "remittance"), record(first, 1, "remittance")])
    async with database.transaction(TENANT) as tx:
        denied = await kpis.denial_rate(tx, OCTOBER)
    assert (denied.numerator, denied.denominator) == (5, 13)


async def test_a_claim_that_a_person_touched_before_it_was_sent_is_not_clean(month: TestDatabase) -> None:
    database = month.open("reporting")
    await project(database, [record(a_submission(3, clean=False), 6)])
    await project(database, [record(a_submission(3, attempt=2), 7)])
    async with database.transaction(TENANT) as tx:
        clean = await kpis.clean_claim_rate(tx, OCTOBER)
    assert (clean.numerator, clean.denominator) == (11, 12)


async def test_a_claim_that_a_person_touched_after_the_payers_answer_was_clean(month: TestDatabase) -> None:
    database = month.open("reporting")
    await project(database, [record(a_claim(3, "paid", clean=False), 6)])
    async with database.transaction(TENANT) as tx:
        clean = await kpis.clean_claim_rate(tx, OCTOBER)
    assert (clean.numerator, clean.denominator) == (12, 12)


async def test_where_an_earlier_release_did_not_say_it_the_claim_itself_does(month: TestDatabase) -> None:
    database = month.open("reporting")
    await project(database, [record(a_submission(number, clean=None), 6) for number in (3, 4)])
    await project(database, [record(a_claim(3, "paid", clean=False), 7)])
    async with database.transaction(TENANT) as tx:
        clean = await kpis.clean_claim_rate(tx, OCTOBER)
    assert (clean.numerator, clean.denominator) == (11, 12)


async def test_every_charge_is_accounted_for(month: TestDatabase) -> None:
    async with month.open("reporting").transaction(TENANT) as tx:
        money = await kpis.money(tx, OCTOBER)
    assert money["billed_cents"] == 12 * 17_500
    assert money["payer_paid_cents"] == 8 * 17_500
    assert money["denied_open_cents"] == 4 * 17_500
    assert money["difference_cents"] == 0


async def test_days_in_receivables_and_their_age(month: TestDatabase) -> None:
    async with month.open("reporting").transaction(TENANT) as tx:
        days = await kpis.days_in_ar(tx, OCTOBER)
        aging = await kpis.aging(tx, OCTOBER, date(2026, 11, 10))
        collected = await kpis.net_collection_rate(tx, OCTOBER)
    assert days.value == pytest.approx(70_000 / (210_000 / 31), abs=0.001)
    assert [bucket["payer_cents"] for bucket in aging] == [0, 70_000, 0, 0, 0, 0]
    assert aging[-1]["days"] == "180+"
    assert collected.value == 0.6667


async def test_no_claims_give_no_figure_rather_than_zero(month: TestDatabase) -> None:
    nothing = Scope(first=date(2020, 1, 1), last=date(2020, 1, 31))
    async with month.open("reporting").transaction(TENANT) as tx:
        assert (await kpis.denial_rate(tx, nothing)).value is None


async def test_figures_of_another_payer_or_practice_are_not_mixed_in(month: TestDatabase) -> None:
    async with month.open("reporting").transaction(TENANT) as tx:
        other = Scope(first=OCTOBER.first, last=OCTOBER.last, payer_id="pay_summit")
        assert (await kpis.denial_rate(tx, other)).denominator == 0
    async with month.open("reporting").transaction(TENANT, practice_ids=["prc_2"]) as tx:
        assert (await kpis.denial_rate(tx, OCTOBER)).denominator == 0
