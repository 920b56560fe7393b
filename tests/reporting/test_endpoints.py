"""Which endpoints want an event."""

import pytest

from libs.common.http import Invalid
from services.reporting import endpoints


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [(["*"], True), (["claim.*"], True), (["claim.updated.v1"], True), (["denial.*"], False), ([], False)],
)
def test_a_glob_lets_a_type_through_or_not(patterns: list[str], wanted: bool) -> None:
    assert endpoints.wants(patterns, "claim.updated.v1") is wanted


def test_a_glob_that_matches_no_event_is_a_mistake_and_said_so() -> None:
    with pytest.raises(Invalid) as refused:
        endpoints.check("https://ehr.example.com/hook", ["claim.*", "clam.*"], local=False)
    (error,) = refused.value.errors
    assert (error.pointer, error.code) == ("/event_types/1", "no_such_type")
