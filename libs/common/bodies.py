"""What is read of a request before any work begins: its headers, its size, its kind, its JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from libs.common.problems import FieldError, Invalid, Malformed, TooLarge, UnsupportedMediaType, pointer

DEEPEST: Final = 64
"""How far arrays and objects may be nested; nothing that we take comes near."""
_NESTING: Final = frozenset({dict, list})
_HEADERS: Final = "parity.headers"
_NUL: Final = b"\\u0000"


def headers(scope: Scope) -> Mapping[str, str]:
    """The headers by their names in lower case, read once; of those that repeat, the first."""
    found: dict[str, str] | None = scope.get(_HEADERS)
    if found is None:
        found = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        scope[_HEADERS] = found
    return found


async def read(request: Request, *, limit_bytes: int) -> bytes:
    """The whole body, counted while it comes in. Raises TooLarge (413)."""
    announced = headers(request.scope).get("content-length", "")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise TooLarge(limit_bytes)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise TooLarge(limit_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def check_type(content_type: str | None, content_encoding: str | None, accepts: Sequence[str]) -> bool:
    """Whether the body is JSON, if it is of a kind that the route takes. Raises UnsupportedMediaType (415)."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if (content_encoding or "identity").lower() != "identity":
        raise UnsupportedMediaType(accepts)
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    if kind not in accepts and not (is_json and "application/json" in accepts):
        raise UnsupportedMediaType(accepts)
    return is_json


def parse(body: bytes) -> Any:
    """The JSON of a body. Raises Malformed (400), Invalid (422) for a NUL character, which no text column takes."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("The body is not JSON in UTF-8.") from None
    if _may_be_deep(body) and _depth(found) > DEEPEST:
        raise Malformed(f"The body is nested more than {DEEPEST} deep.")
    if _NUL in body:
        _refuse_nul(found, [])
    return found


def _may_be_deep(body: bytes) -> bool:
    """False only where there are too few brackets to nest so deep."""
    return body.count(b"[") + body.count(b"{") > DEEPEST


def _depth(value: Any) -> int:
    depth, level = 0, [value] if type(value) in _NESTING else []
    while level:
        depth += 1
        inside = (outer.values() if type(outer) is dict else outer for outer in level)
        level = [inner for outer in inside for inner in outer if type(inner) in _NESTING]
    return depth


def _refuse_nul(value: Any, path: list[str | int]) -> None:
    if isinstance(value, str) and "\x00" in value:
        raise Invalid([FieldError(pointer(path), "nul_character", "Text holds no NUL character.")])
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_nul(name, [*path, "*"])
            _refuse_nul(inner, [*path, name])
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_nul(inner, [*path, index])


def _again(body: bytes, receive: Receive) -> Receive:
    """The body comes once more, before whatever else comes.

    It holds nothing that holds it: what a request has made goes with its last holder, and waits for no collector.
    """
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


class Read(Request):
    """A request whose body has been read already, and parsed where it is JSON."""

    def __init__(self, scope: Scope, receive: Receive, body: bytes, parsed: Any = None) -> None:
        self._parsed = parsed
        super().__init__(scope, _again(body, receive))

    async def json(self) -> Any:
        return self._parsed
