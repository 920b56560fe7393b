"""What is too deep is found, and what is not is never refused."""

import gc
import weakref
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common import bodies
from libs.common.problems import Malformed, UnsupportedMediaType

_TEXT = st.text(alphabet='a[]{}"\\,:é', max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=20,
)


@given(JSON, st.integers(0, 90))
def test_exactly_what_is_nested_deeper_than_the_limit_is_refused(value: object, around: int) -> None:
    depth = _depth(value)
    for _ in range(around):
        value = [value, "]]}}"]
    if depth + around > bodies.DEEPEST:
        with pytest.raises(Malformed):
            bodies.parse(orjson.dumps(value))
    else:
        assert bodies.parse(orjson.dumps(value)) == value


def test_a_request_that_was_read_goes_with_its_last_holder() -> None:
    """What waits for the collector is looked through by it: a tenth of an API's time."""

    async def receive() -> dict[str, object]:
        return {}

    gc.disable()
    try:
        read = bodies.Read({"type": "http"}, receive, b"{}")
        known = weakref.ref(read)
        del read
        assert known() is None
    finally:
        gc.enable()


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_malformed(body: bytes) -> None:
    with suppress(Malformed):
        bodies.parse(body)


@pytest.mark.parametrize(
    ("kind", "accepts", "is_json"),
    [
        ("application/json", ("application/json",), True),
        ("Application/JSON; charset=utf-8", ("application/json",), True),
        ("application/fhir+json", ("application/json",), True),
        ("application/merge-patch+json", ("application/merge-patch+json",), True),
        ("application/edi-x12", ("application/edi-x12",), False),
    ],
)
def test_kinds_that_are_taken(kind: str, accepts: tuple[str, ...], is_json: bool) -> None:
    assert bodies.check_type(kind, None, accepts) is is_json


@pytest.mark.parametrize("kind", [None, "", "text/html", "application/jsonx", "text/json+json"])
def test_kinds_that_are_not(kind: str | None) -> None:
    with pytest.raises(UnsupportedMediaType):
        bodies.check_type(kind, None, ("application/json",))
