"""Requests made up from an OpenAPI document, the same each time."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from libs.common.ids import uuid7


def operations(document: dict[str, Any]) -> list[Any]:
    """Every operation of a document, in its order."""
    found = schemathesis.openapi.from_dict(document).get_all_operations()
    return [one.ok() for one in cast(Iterable[Any], found)]


def right_and_wrong(operation: Any, count: int) -> list[Any]:
    """Requests of one operation, half of them wrong; all right where none can be wrong, fewer where it takes less."""
    wrong = []
    if any((operation.query, operation.headers, operation.cookies, operation.body)):
        wrong = _drawn(operation, GenerationMode.NEGATIVE, count // 2)
    return wrong + right(operation, count - len(wrong))


def right(operation: Any, count: int) -> list[Any]:
    """Requests that the document allows."""
    return _drawn(operation, GenerationMode.POSITIVE, count)


def _drawn(operation: Any, mode: GenerationMode, count: int) -> list[Any]:
    found: list[Any] = []

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(case)

    with suppress(Unsatisfiable):
        collect()
    return found


async def send(http: httpx.AsyncClient, url: str, case: Any, by: Mapping[str, str]) -> httpx.Response:
    """The request as it was made up, by whom these headers name, with a key that nobody else has."""
    how = case.as_transport_kwargs(base_url=url)
    headers = dict(how.get("headers") or {}) | dict(by)
    if case.method == "POST" and "Idempotency-Key" in (case.headers or {}):
        headers["Idempotency-Key"] = uuid7().hex
    plain = {name: value.encode("latin-1", "ignore") for name, value in headers.items() if isinstance(value, str)}
    content = how.get("data") if isinstance(how.get("data"), bytes | str) else None
    if "json" in how and how["json"] is not None:
        content = json.dumps(how["json"]).encode("utf-8", "surrogatepass")
        plain.setdefault("Content-Type", b"application/json")
    return await http.request(
        case.method, how["url"], params=how.get("params") or None, headers=plain, content=content or b""
    )
