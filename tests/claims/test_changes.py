"""What a person may change of a claim."""

import pytest
from pydantic import ValidationError

from services.claims.changes import Changes
from services.claims.correct import changed
from tests.claims.test_domain import a_claim


def test_a_correction_says_what_is_new() -> None:
    with pytest.raises(ValidationError, match="Say what is new"):
        Changes.model_validate({"why": "no reason"})
    with pytest.raises(ValidationError):
        Changes.model_validate({"lines": [{"line_id": "sln_1", "modifiers": ["A", "B"]}]})


def test_what_is_left_out_stays() -> None:
    content = a_claim().content
    changes = Changes.model_validate({"lines": [{"line_id": "sln_1", "modifiers": ["95"]}], "diagnoses": ["F41.1"]})
    after = changed(content, changes)
    assert (after.lines[0].modifiers, after.lines[0].code, after.diagnoses) == (("95",), "90834", ("F411",))
    assert (after.place_of_service, after.route_payer_id) == (content.place_of_service, None)
