"""Money of an 835 that belongs to no claim has an account."""

from libs.codes.plb import SUSPENSE, account, codes, meaning


def test_interest_is_income_and_recoupment_is_owed_back() -> None:
    assert account("L6") == "interest_income"
    assert account("WO") == account("FB") == account("72") == "takeback_due"


def test_a_code_without_an_account_waits_for_a_person() -> None:
    assert account("Z9") == SUSPENSE
    assert meaning("Z9") is None
    assert all(meaning(code) for code in codes())
