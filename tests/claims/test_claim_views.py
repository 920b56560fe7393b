"""What callers send to move a claim."""

import pytest
from pydantic import ValidationError

from services.claims.claim_views import AppealAnswer, ChargeIn, Release, Why


def test_whoever_moves_a_claim_says_why() -> None:
    for model in (Why, Release):
        with pytest.raises(ValidationError):
            model.model_validate({})
    with pytest.raises(ValidationError):
        Why.model_validate({"why": "x" * 65})


def test_an_appeal_is_won_or_lost() -> None:
    with pytest.raises(ValidationError):
        AppealAnswer.model_validate({"outcome": "maybe"})


def test_a_charge_is_never_negative() -> None:
    with pytest.raises(ValidationError):
        ChargeIn.model_validate(
            {"practice_id": "prc_1", "code": "90834", "charge_cents": -1, "effective_from": "2026-01-01"}
        )
