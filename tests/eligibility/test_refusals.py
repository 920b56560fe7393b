"""What a payer's refusal means, and whose it is to mend."""

import pytest

from services.eligibility.refusals import REFUSALS, outcome_of, refusal


@pytest.mark.parametrize("code", ["42", "80"])
def test_a_payer_that_cannot_answer_now_is_asked_again(code: str) -> None:
    assert refusal(code).outcome == "retry"


@pytest.mark.parametrize("code", ["58", "71", "72", "73", "75", "76"])
def test_what_the_card_shows_is_the_front_desks(code: str) -> None:
    assert refusal(code).owner == "front_desk"


@pytest.mark.parametrize("code", ["43", "50", "51"])
def test_what_the_payer_has_of_the_practice_is_credentialings(code: str) -> None:
    assert refusal(code).owner == "credentialing"


def test_what_a_person_must_mend_goes_before_what_will_mend_itself() -> None:
    assert outcome_of(["42", "72"]) == "rejected"
    assert outcome_of(["80", "75", "71"]) == "not_found"
    assert outcome_of(["42", "80"]) == "retry"


def test_a_code_that_we_do_not_know_is_a_persons() -> None:
    assert (refusal("ZZ").outcome, refusal("ZZ").owner) == ("rejected", "billing")


def test_every_refusal_says_what_to_do() -> None:
    assert all(
        one.words.endswith(".") and one.outcome in ("retry", "rejected", "not_found") for one in REFUSALS.values()
    )
