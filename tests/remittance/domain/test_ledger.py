"""Journals sum to zero, and a charge that is not accounted for cannot be written down."""

from typing import Any

import pytest

from services.remittance.domain.ledger import Account, Buckets, Entry, Unbalanced, balanced, cash_received, moves


def test_a_first_submission_debits_what_is_in_flight_and_credits_charges() -> None:
    entries = moves("sln_1", Buckets(), Buckets(billed=13500, in_flight=13500))
    assert {(e.account, e.amount_cents) for e in entries} == {(Account.CHARGES, -13500), (Account.IN_FLIGHT, 13500)}


def test_a_payment_uses_up_clearing_money_on_the_line() -> None:
    before = Buckets(billed=13500, in_flight=13500)
    after = Buckets(billed=13500, payer_paid=9300, contractual=1700, patient=2500)
    assert {(e.account, e.amount_cents) for e in moves("sln_1", before, after)} == {
        (Account.SUSPENSE, 9300),
        (Account.CONTRACTUAL, 1700),
        (Account.PATIENT, 2500),
        (Account.IN_FLIGHT, -13500),
    }


@pytest.mark.parametrize("wrong", [{"billed": 100}, {"billed": 100, "in_flight": 200, "payer_paid": -100}])
def test_a_charge_that_is_not_accounted_for_is_refused(wrong: Any) -> None:
    with pytest.raises(AssertionError):
        Buckets(**wrong)


def test_a_journal_that_does_not_sum_to_zero_is_refused() -> None:
    with pytest.raises(Unbalanced):
        balanced((Entry(account=Account.CASH, amount_cents=1),))


def test_a_remittance_with_a_takeback_clears_what_arrives_and_remembers_what_was_taken() -> None:
    taken = Entry(account="takeback", amount_cents=2500, reference="ICN1")
    entries = cash_received(amount_cents=9300, claims_cents=11800, provider_adjustments=(taken,), clearing="era_1")
    assert [(e.account, e.amount_cents) for e in entries] == [
        (Account.ERA_CLEARING, 9300),
        ("takeback", 2500),
        (Account.SUSPENSE, -11800),
    ]


def test_what_does_not_add_up_is_kept_under_a_name_of_its_own() -> None:
    entries = cash_received(amount_cents=10000, claims_cents=9750, provider_adjustments=(), clearing="era_1")
    assert entries[-1] == Entry(account=Account.SUSPENSE, amount_cents=-250, reference="era_1/difference")


def test_buckets_add_up_line_by_line() -> None:
    one = Buckets(billed=100, in_flight=100)
    assert (one + Buckets(billed=50, payer_paid=80, credits=30)).cents()["credits_cents"] == 30
