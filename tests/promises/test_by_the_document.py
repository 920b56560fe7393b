"""Promise: whatever is sent to an API, it answers as its OpenAPI document says, and never with a fault of its own."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.calls import Api
from tests.contracts.generate import SERVICES
from tests.promises.made_up import operations, right_and_wrong, send

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
    mine = operations(asked.document)[share :: SHARES[service]]
    for operation in mine:
        for case in right_and_wrong(operation, EXAMPLES_AT_NIGHT if night else EXAMPLES):
            by = {"Authorization": f"Bearer {api.token()}"}
            asked.judge(operation, await send(api.http, "http://service.test", case, by))
    with capsys.disabled():
        print(
            f"\n{service}, {len(mine)} operations: {asked.answers.total()} requests in "
            f"{time.monotonic() - began:.0f} s, {dict(sorted(asked.answers.items()))}"
        )
    assert sorted(asked.wrong) == []
    assert sum(count for status, count in asked.answers.items() if 200 <= status < 300) > 0
