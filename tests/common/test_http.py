"""What an API answers when something is not right: a problem, always, that says what to do and quotes nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from libs.common.http import create_api
from libs.common.ids import new_id
from libs.common.settings import MissingSetting
from tests.callers import Issuer, calling
from tests.common import door_service
from tests.conftest import TestDatabase

VISIT = {"minutes": 50, "name": "Jo Rivera"}
JSON = {"Content-Type": "application/json"}


def check(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is this problem, whole."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"] == f"urn:parity:problem:{code}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Jo" not in answer.text
    return problem


async def test_an_invalid_body_says_which_field_and_why(biller: httpx.AsyncClient) -> None:
    answer = await biller.post("/v1/visits", json={"minutes": 0, "name": "Jo Rivera" * 9, "ssn": "078-05-1120"})
    errors = check(answer, 422, "validation_failed")["errors"]
    assert errors == [
        {
            "pointer": "/minutes",
            "in": "body",
            "code": "greater_than_equal",
            "message": "Input should be greater than or equal to 1",
        },
        {
            "pointer": "/name",
            "in": "body",
            "code": "string_too_long",
            "message": "String should have at most 40 characters",
        },
        {"pointer": "/ssn", "in": "body", "code": "extra_forbidden", "message": "Extra inputs are not permitted"},
    ]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"minutes": 0}', b'{"minutes": 50, "name": "Jo"}'])
async def test_a_plain_route_answers_as_it_would_by_the_framework(
    api: FastAPI, issuer: Issuer, tenant: str, body: bytes
) -> None:
    answers = []
    for behind in ("", "/behind"):  # a proxy's path goes the framework's way
        transport = httpx.ASGITransport(app=api, root_path=behind)
        headers = JSON | {"Authorization": f"Bearer {issuer.token(tenant_id=tenant)}", "Idempotency-Key": new_id("key")}
        async with httpx.AsyncClient(transport=transport, base_url="http://parity.test") as client:
            answers.append(await client.post("/v1/visits", content=body, headers=headers))
    straight, by_framework = answers
    assert straight.status_code == by_framework.status_code
    assert set(straight.headers) == set(by_framework.headers)
    assert straight.headers["content-type"] == by_framework.headers["content-type"]
    assert _unchanging(straight) == _unchanging(by_framework)


def _unchanging(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name not in {"request_id", "id"}}


async def test_an_unknown_field_whose_name_is_content_is_not_repeated(biller: httpx.AsyncClient) -> None:
    answer = await biller.post("/v1/visits", json={**VISIT, "Jo Rivera 1990-04-12": 1})
    (error,) = check(answer, 422, "validation_failed")["errors"]
    assert error["pointer"] == "/*"


async def test_a_query_parameter_is_named_as_one(biller: httpx.AsyncClient) -> None:
    (error,) = check(await biller.get("/v1/visits?limit=9999"), 422, "validation_failed")["errors"]
    assert (error["in"], error["pointer"]) == ("query", "/limit")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"\xff\xfe",
        b'{"minutes": NaN}',
        b'{"name": "\\ud800"}',
        b'{"metadata":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"metadata":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    ],
)
async def test_a_body_that_cannot_be_read_is_malformed(biller: httpx.AsyncClient, body: bytes) -> None:
    answer = await biller.post("/v1/visits", content=body, headers=JSON)
    if body:
        check(answer, 400, "malformed")
    else:
        check(answer, 422, "validation_failed")


async def test_a_body_nested_as_deep_as_is_allowed_is_read(biller: httpx.AsyncClient) -> None:
    deep: object = 1
    for _ in range(60):
        deep = {"brackets in a text": "]]]}}}", "a": deep}
    assert (await biller.post("/v1/visits", json={**VISIT, "metadata": deep})).status_code == 201


@pytest.mark.parametrize("where", ["name", "metadata"])
async def test_a_nul_character_is_refused_before_the_database_sees_it(biller: httpx.AsyncClient, where: str) -> None:
    value: object = "a\x00b" if where == "name" else {"a": ["x", "a\x00b"]}
    answer = await biller.post("/v1/visits", json={**VISIT, where: value})
    (error,) = check(answer, 422, "validation_failed")["errors"]
    assert error["pointer"] == ("/name" if where == "name" else "/metadata/a/1")


async def test_a_nul_character_in_the_address_finds_nothing(biller: httpx.AsyncClient) -> None:
    check(await biller.get("/v1/visits/a%00b"), 404, "not_found")
    check(await biller.get("/v1/visits?cursor=%00"), 400, "malformed")


async def test_a_body_over_the_limit_is_refused_while_it_comes_in(biller: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"name": "'
        for _ in range(100):
            sent += 100_000
            yield b"x" * 100_000

    check(await biller.post("/v1/visits", content=endless(), headers=JSON), 413, "too_large")
    check(await biller.post("/v1/visits", content=b"x" * 1_100_000, headers=JSON), 413, "too_large")


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "text/plain"}, {}, {"Content-Type": "application/json", "Content-Encoding": "gzip"}],
)
async def test_a_body_of_another_kind_or_compressed_is_refused(
    biller: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await biller.post("/v1/visits", content=b"{}", headers=headers)
    check(answer, 415, "unsupported_media_type")
    assert answer.headers["accept"] == "application/json"


async def test_no_such_path_and_no_such_method(biller: httpx.AsyncClient) -> None:
    check(await biller.get("/v1/nothing"), 404, "not_found")
    answer = await biller.delete("/v1/visits")
    check(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("illegal", 409, "state_conflict"),
        ("stale", 409, "stale"),
        ("unforeseen", 500, "internal"),
        ("connection", 503, "database_unavailable"),
        ("out_of_range", 422, "validation_failed"),
    ],
)
async def test_what_fails_inside_is_answered_as_what_it_is(
    biller: httpx.AsyncClient, how: str, status: int, code: str
) -> None:
    answer = await biller.post(f"/v1/visits/vis_1/fail?how={how}")
    problem = check(answer, status, code)
    if how == "illegal":
        assert problem["detail"] == "submitted cannot take scrub"
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_without_a_database_the_api_lives_and_asks_to_come_back(
    doors_database: TestDatabase, issuer: Issuer
) -> None:
    nowhere = "postgresql://reporting_api:x@127.0.0.1:1/nothing"
    settings = doors_database.settings("reporting", REPORTING_DATABASE_API=nowhere)
    app = create_api(door_service.create_service(), settings)
    async with app.router.lifespan_context(app), calling(app, issuer.token()) as caller:
        answer = await caller.get("/v1/visits")
        check(answer, 503, "database_unavailable")
        assert answer.headers["retry-after"] == "2"
        assert (await caller.get("/livez")).status_code == 200
        assert (await caller.get("/readyz")).status_code == 503


async def test_ready_once_the_schema_stands_at_head(api: FastAPI, anyone: httpx.AsyncClient) -> None:
    assert (await anyone.get("/livez")).text == "ok\n"
    assert (await anyone.get("/readyz")).text == "ok\n"


async def test_a_replacement_needs_the_version_that_was_read(biller: httpx.AsyncClient) -> None:
    made = (await biller.post("/v1/visits", json=VISIT)).json()["id"]
    tag = (await biller.get(f"/v1/visits/{made}")).headers["etag"]
    path = f"/v1/visits/{made}"

    check(await biller.put(path, json=VISIT), 428, "precondition_required")
    check(await biller.put(path, json=VISIT, headers={"If-Match": '"7"'}), 412, "precondition_failed")
    check(await biller.put(path, json=VISIT, headers={"If-Match": "x" * 30}), 400, "malformed")
    assert (await biller.put(path, json=VISIT, headers={"If-Match": tag})).status_code == 200
    assert (await biller.put(path, json=VISIT, headers={"If-Match": "*"})).status_code == 200


async def test_each_answer_has_a_request_id_and_a_trace(biller: httpx.AsyncClient) -> None:
    answer = await biller.get("/v1/visits")
    assert re.fullmatch(r"req_[0-9a-f]{32}", answer.headers["x-request-id"])
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", answer.headers["traceparent"])


async def test_the_callers_own_request_id_and_trace_go_on(biller: httpx.AsyncClient) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    own = "req_0123456789abcdef"
    answer = await biller.get("/v1/visits", headers={"X-Request-Id": own, "traceparent": trace})
    assert answer.headers["x-request-id"] == own
    assert answer.headers["traceparent"].split("-")[1] == trace.split("-")[1]


async def test_a_request_id_that_is_not_an_id_is_not_taken(biller: httpx.AsyncClient) -> None:
    answer = await biller.get("/v1/visits", headers={"X-Request-Id": "Jo Rivera 1990"})
    assert "Jo" not in answer.headers["x-request-id"]


async def test_the_openapi_document_is_of_version_3_1_and_is_served(anyone: httpx.AsyncClient) -> None:
    document = (await anyone.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")


async def test_many_requests_side_by_side_keep_their_transactions_apart(biller: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(biller.post("/v1/visits", json={**VISIT, "minutes": n}) for n in range(1, 31)),
    )
    assert sorted(answer.json()["minutes"] for answer in answers) == list(range(1, 31))
    assert orjson.loads((await biller.get("/v1/visits?limit=100")).content)["page"]["has_more"] is False


async def test_without_a_token_the_answer_asks_for_one(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.get("/v1/visits")
    check(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="parity"'


async def test_a_missing_scope_is_named(api: FastAPI, issuer: Issuer) -> None:
    async with calling(api, issuer.token(scopes=["claims:read"])) as caller:
        answer = await caller.get("/v1/visits")
    check(answer, 403, "scope_missing")
    assert 'scope="reporting:read"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("content", [None, b"short"])
def test_without_a_key_for_cursors_the_api_does_not_start(
    doors_database: TestDatabase, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "cursor.key").write_bytes(content)
    settings = doors_database.settings("reporting", PARITY_CURSOR_KEY=tmp_path / "cursor.key")
    with pytest.raises(MissingSetting, match="PARITY_CURSOR_KEY"):
        create_api(door_service.create_service(), settings)
