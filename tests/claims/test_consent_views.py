"""What a consent may say."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.claims.consent_views import EXAMPLE, ConsentIn


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "part2_specific"},
        {"payer_ids": ["pay_nobody"]},
        {"expires_on": "2026-09-30"},
        {"text": "I consent"},
        {"kind": "sud_counseling"},
    ],
)
def test_a_consent_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    assert ConsentIn.model_validate(EXAMPLE).payer_ids == []
    with pytest.raises(ValidationError):
        ConsentIn.model_validate(EXAMPLE | wrong)
