"""What a route is about is read from its path."""

import pytest

from libs.common.http import Router
from libs.common.routing import subject_type


@pytest.mark.parametrize(
    ("path", "about"),
    [
        ("/v1/claims/{claim_id}/appeals", "claim"),
        ("/v1/encounters", "encounter"),
        ("/v1/encounters:batch", "encounter"),
        ("/v1/practices/{practice_id}/locations/{location_id}", "location"),
        ("/v1/webhook-sources", "webhook_source"),
        ("/v1/clearinghouse-account", "clearinghouse_account"),
        ("/", None),
    ],
)
def test_the_subject_of_a_path(path: str, about: str | None) -> None:
    assert subject_type(path) == about


def test_a_route_for_callers_without_a_scope_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="no scope"):
        Router(prefix="/v1/claims").get("")
