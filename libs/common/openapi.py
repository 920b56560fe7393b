"""The OpenAPI 3.1 document of a service: scopes, keys and problems are said for each operation, once, here."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from libs.common.idempotency import HEADER, REPLAYED
from libs.common.problems import MEDIA_TYPE, ProblemView
from libs.common.routing import DoorRoute

_PROBLEM: Final = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_WORDS: Final = {
    "400": "The request cannot be read",
    "401": "No token, or one that does not hold",
    "403": "The token lacks the scope",
    "404": "There is none that you may know of",
    "409": "It does not fit the present state, or the same is being done right now",
    "412": "It has changed since you read it",
    "413": "The body is too large",
    "415": "The body is of another type",
    "422": "The content is not valid",
    "428": "Say with If-Match which version you mean",
    "default": "Another refusal; `code` says which",
}
_ETAG: Final = r'^(\*|(W/)?"[0-9]{1,18}")$'
_KEY: Final = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "New for each new request; the same key and body are answered with the stored answer.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[ -~]*$"},
    "example": "0192f3c4-a5b6-7c8d-9e0f-1a2b3c4d5e6f",
}


def document(app: FastAPI, build: Any) -> dict[str, Any]:
    """FastAPI's document with what the doors add."""
    found: dict[str, Any] = build()
    parts = found.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemView.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    scopes: dict[str, str] = {}
    for route, path, method in _operations(app):
        operation = found["paths"].get(path, {}).get(method.lower())
        if operation is None:
            continue
        _describe(operation, route, method)
        if route.door.scope is not None:
            scopes[route.door.scope] = f"What needs {route.door.scope}"
    parts["securitySchemes"] = {
        "token": {
            "type": "oauth2",
            "description": "A bearer token of the configured OIDC issuer, with a tenant_id claim.",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": dict(sorted(scopes.items()))}},
        }
    }
    return found


def _operations(app: FastAPI) -> Iterator[tuple[DoorRoute, str, str]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, DoorRoute) and context.path_format is not None:
            for method in route.methods or ():
                yield route, context.path_format, method


def _describe(operation: dict[str, Any], route: DoorRoute, method: str) -> None:
    door, responses = route.door, operation.setdefault("responses", {})
    wanted = {"400", "404", "default"}
    if door.open_to == "callers":
        operation["security"] = [{"token": [door.scope] if door.scope else []}]
        wanted |= {"401", "403"}
    if method != "GET":
        wanted |= {"409", "413", "415"}
    if "422" in responses or operation.get("parameters") or operation.get("requestBody"):
        wanted |= {"422"}
        if "HTTPValidationError" in str(responses.get("422")):
            del responses["422"]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "If-Match":
            parameter |= {"required": True, "schema": {"type": "string", "pattern": _ETAG}, "example": '"3"'}
            wanted |= {"412", "428"}
    for status in sorted(wanted):
        responses.setdefault(status, {"description": _WORDS[status], **_PROBLEM})
    if door.idempotent:
        operation.setdefault("parameters", []).append(_KEY)
        for status, answer in responses.items():
            if status.startswith("2"):
                answer.setdefault("headers", {})[REPLAYED] = {
                    "description": "`true`: this is the stored answer of an earlier request with the same key.",
                    "schema": {"type": "string", "const": "true"},
                }
    if door.phi:
        operation["x-phi"] = True


def methods(app: FastAPI, path: str) -> list[str]:
    """What can be done at this path, by any of the routes that it fits."""
    routes = (context.original_route for context in iter_route_contexts(app.routes))
    fitting = (route for route in routes if isinstance(route, DoorRoute) and route.path_regex.match(path))
    return sorted({method for route in fitting for method in route.methods or ()})


def operation_id(route: APIRoute) -> str:
    """The function's name: `file_appeal`; unique within a service."""
    return route.name
