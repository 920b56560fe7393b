"""What callers may send: nothing that we do not ask for, and no note."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.claims.views import EXAMPLE, EncounterIn
from tests.claims.conftest import an_encounter


def test_the_example_of_the_description_is_taken() -> None:
    assert EncounterIn.model_validate(EXAMPLE).external_id == "ehr-77123"


@pytest.mark.parametrize(
    "extra",
    [
        {"note": "text"},
        {"documentation": EXAMPLE["documentation"] | {"note_text": "text"}},
        {"documentation": EXAMPLE["documentation"] | {"psychotherapy_notes": "text"}},
        {"metadata": {"note": "x" * 65}},
    ],
)
def test_a_note_has_no_place_to_go(extra: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EncounterIn.model_validate(an_encounter() | extra)


@pytest.mark.parametrize(
    "changes",
    [
        {"service": {"stop": "2026-10-05T14:00:00-05:00"}},
        {"diagnoses": []},
        {"diagnoses": [{"rank": 1, "code": "not a code"}]},
        {"patient": {"last_name": "A*B~"}},
        {"lines": [{"code": "90834", "modifiers": ["95", "HO", "HJ", "HF", "HE"]}]},
        {"lines": [{"code": "90834", "charge_cents": -1}]},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EncounterIn.model_validate(an_encounter(**changes))
