"""Promise: whatever is sent to an API, it answers as its OpenAPI document says, and never with a fault of its own."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from schemathesis.generation import GenerationMode

from libs.common.ids import uuid7
from tests.calls import Api
from tests.contracts.generate import SERVICES

pytestmark = pytest.mark.thorough

EXAMPLES, EXAMPLES_AT_NIGHT = 100, 2_000
SHARES = {"claims": 3, "credentialing": 2, "eligibility": 2, "remittance": 2, "reporting": 1}
"""Into how many tests the operations of a service are dealt, so that every core has work to the end."""


@dataclass(slots=True)
class Asked:
    """What was asked of one service, and what was wrong with its answers."""

    document: dict[str, Any]
    answers: Counter[int] = field(default_factory=Counter)
    wrong: set[str] = field(default_factory=set)
    _shapes: dict[tuple[str, str, str], Draft202012Validator] = field(default_factory=dict)

    def judge(self, operation: Any, answer: httpx.Response) -> None:
        """The answer has been counted, and looked through for what its document does not say."""
        self.answers[answer.status_code] += 1
        for said in self._faults(operation, answer):
            self.wrong.add(f"{operation.label} answers {answer.status_code}{said}")

    def _faults(self, operation: Any, answer: httpx.Response) -> Iterator[str]:
        """What is wrong with an answer: a fault of ours, or not what the document promises."""
        if answer.status_code >= 500:
            yield f": {answer.text[:300]}"
            return
        promised = self.document["paths"][operation.path][operation.method]["responses"]
        status = str(answer.status_code)
        if answer.is_success and status not in promised:
            yield ", which is not in its document"
            return
        status = status if status in promised else "default"
        content = promised[status].get("content", {})
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if not answer.content:
            if content:
                yield " without a body"
        elif kind not in content:
            yield f" with {kind}, not {sorted(content)}"
        elif kind.endswith("json"):
            shape = self._shape((operation.label, status, kind), content[kind].get("schema", {}))
            yield from (f": {error.json_path} {error.validator}" for error in shape.iter_errors(answer.json()))

    def _shape(self, of: tuple[str, str, str], schema: dict[str, Any]) -> Draft202012Validator:
        if of not in self._shapes:
            self._shapes[of] = Draft202012Validator({**schema, "components": self.document["components"]})
        return self._shapes[of]


@pytest.mark.parametrize(("service", "share"), [(name, share) for name in SERVICES for share in range(SHARES[name])])
async def test_no_made_up_request_makes_a_fault_or_an_undocumented_answer(
    service: str, share: int, apis: dict[str, Api], night: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    api, began = apis[service], time.monotonic()
    asked = Asked((await api.http.get("/openapi.json")).json())
    loaded = schemathesis.openapi.from_dict(asked.document)
    operations = [found.ok() for found in cast(Iterable[Any], loaded.get_all_operations())][share :: SHARES[service]]
    for operation in operations:
        for case in _made_up(operation, EXAMPLES_AT_NIGHT if night else EXAMPLES):
            asked.judge(operation, await _send(api, case))
    with capsys.disabled():
        print(
            f"\n{service}, {len(operations)} operations: {asked.answers.total()} requests in "
            f"{time.monotonic() - began:.0f} s, {dict(sorted(asked.answers.items()))}"
        )
    assert sorted(asked.wrong) == []
    assert sum(count for status, count in asked.answers.items() if 200 <= status < 300) > 0


def _made_up(operation: Any, count: int) -> list[Any]:
    """Requests of one operation, half of them wrong; all right where none can be wrong, fewer where it takes less."""
    wrong = []
    if any((operation.query, operation.headers, operation.cookies, operation.body)):
        wrong = _drawn(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), count // 2)
    return wrong + _drawn(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), count - len(wrong))


def _drawn(strategy: Any, count: int) -> list[Any]:
    """What hypothesis makes of it, the same each time."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: Any) -> None:
        found.append(case)

    with suppress(Unsatisfiable):
        collect()
    return found


async def _send(api: Api, case: Any) -> httpx.Response:
    """The request as it was made up, by somebody who may do everything, with a key that nobody else has."""
    how = case.as_transport_kwargs(base_url="http://service.test")
    headers = dict(how.get("headers") or {}) | {"Authorization": f"Bearer {api.token()}"}
    if case.method == "POST" and "Idempotency-Key" in (case.headers or {}):
        headers["Idempotency-Key"] = uuid7().hex
    plain = {name: value.encode("latin-1", "ignore") for name, value in headers.items() if isinstance(value, str)}
    content = how.get("data") if isinstance(how.get("data"), bytes | str) else None
    if "json" in how and how["json"] is not None:
        content = json.dumps(how["json"]).encode("utf-8", "surrogatepass")
        plain.setdefault("Content-Type", b"application/json")
    return await api.http.request(
        case.method, how["url"], params=how.get("params") or None, headers=plain, content=content or b""
    )
