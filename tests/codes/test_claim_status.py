"""What a 277CA decides, in words."""

import pytest

from libs.codes.claim_status import describe, owner, verdict


@pytest.mark.parametrize(
    ("category", "says"),
    [("A1", "received"), ("A2", "accepted"), ("A3", "rejected"), ("A7", "rejected"), ("ZZ", "unknown")],
)
def test_a_category_decides(category: str, says: str) -> None:
    assert verdict(category) == says


def test_a_status_is_told_in_words_and_has_an_owner() -> None:
    assert describe("A7", "164", "IL") == "rejected for invalid information: member number of the entity (subscriber)"
    assert describe("A3", "999") == "returned as unprocessable: status 999"
    assert (owner("164"), owner("562"), owner("999")) == ("front_desk", "credentialing", "billing")
