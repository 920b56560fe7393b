"""The document of an API says what the doors ask of each operation, and what they answer."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from libs.common.problems import FieldError, Invalid

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="session")
def document(api: FastAPI) -> dict[str, Any]:
    return api.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def resolve(document: dict[str, Any], ref: str) -> Any:
    found: Any = document
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def refs(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            for inner in value.values():
                yield from refs(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from refs(inner)

    for ref in refs(document):
        assert resolve(document, ref) is not None


def test_every_operation_answers_problems_only_as_problems(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        refusals = {s: a for s, a in operation["responses"].items() if not s.startswith("2")}
        assert "default" in refusals, (path, method)
        for status, answer in refusals.items():
            assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_an_operation_for_callers_names_its_scope_and_one_for_anyone_none(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        open_to_anyone = path.startswith(("/bench", "/v1/inbound/"))
        assert ("security" in operation) != open_to_anyone, (path, method)
    assert document["paths"]["/v1/visits"]["get"]["security"] == [{"token": ["reporting:read"]}]
    scopes = document["components"]["securitySchemes"]["token"]["flows"]["clientCredentials"]["scopes"]
    assert list(scopes) == ["reporting:audit", "reporting:read", "reporting:write"]


def test_every_post_of_a_caller_carries_a_key(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        names = [parameter["name"] for parameter in operation.get("parameters", ())]
        wanted = method == "post" and not path.startswith(("/bench", "/v1/inbound/"))
        assert ("Idempotency-Key" in names) == wanted, (path, method)


def test_what_needs_if_match_says_412_and_428(document: dict[str, Any]) -> None:
    responses = document["paths"]["/v1/tasks/{task_id}"]["patch"]["responses"]
    assert {"412", "428"} <= responses.keys()


def test_bodies_that_are_not_json_are_said_to_be(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/visits/835"]["post"]["requestBody"]
    assert "application/edi-x12" in body["content"]


def test_patient_data_is_marked(document: dict[str, Any]) -> None:
    assert document["paths"]["/v1/visits/{visit_id}"]["get"]["x-phi"] is True
    assert "x-phi" not in document["paths"]["/v1/tasks"]["get"]


def test_each_request_body_of_the_kernel_has_an_example_that_holds(document: dict[str, Any]) -> None:
    for name in ("NewSource", "SourcePatch", "TaskPatch", "AccountBody", "Problem"):
        schema = document["components"]["schemas"][name]
        assert schema["examples"], name
        for example in schema["examples"]:
            whole = {**schema, "components": document["components"]}
            Draft202012Validator(whole).validate(example)


def test_a_problem_as_it_is_sent_fits_its_schema(document: dict[str, Any]) -> None:
    problem = Invalid([FieldError("/a", "b", "c", "query", more={"rule_id": "BH-TIME-001"})], detail="d")
    schema = {**document["components"]["schemas"]["Problem"], "components": document["components"]}
    Draft202012Validator(schema).validate(problem.view("req_1"))


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
