"""Routes that pass the doors: each declares its scope and what else it asks, and gets one transaction.

    router = Router(prefix="/v1/claims", tags=["claims"])

    @router.get("/{claim_id}", scope="claims:read", phi=True)
    async def read_claim(claim_id: str, tx: Tx) -> ClaimView: ...

What happens on the way through is in `doors.py`. A route's function neither commits nor catches: it returns the
answer, or raises a Problem or one of the exceptions that its service has mapped.
"""

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar, cast

from fastapi import APIRouter, Depends, params
from fastapi._compat import ModelField
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from libs.common.auth import Principal
from libs.common.db import Transaction
from libs.common.together import Together

F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[[Request], Awaitable[Response]]
JSON: Final = ("application/json",)
X12: Final = ("application/edi-x12", "text/plain", "application/octet-stream")
MERGE_PATCH: Final = ("application/merge-patch+json", "application/json")
BULK_BYTES: Final = 32 * 1024 * 1024
"""The body limit of routes that take files or batches."""
_VISIT: Final = "parity.visit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What one route asks of a request."""

    scope: str | None
    """The scope that the token needs; None: any token of a tenant."""
    open_to: Literal["callers", "anyone"] = "callers"
    """`anyone`: no token; the route proves by itself who calls, or is of a test tool."""
    transaction: bool = True
    """False: the route opens its own, through `Here`."""
    idempotent: bool = False
    """A POST that carries an Idempotency-Key, always."""
    phi: bool = False
    """The answer shows a patient's data; who looked is recorded."""
    audited: bool = True
    subject: str | None = None
    """The kind of thing it is about, where the path does not say it."""
    accepts: Sequence[str] = JSON
    body_limit_bytes: int | None = None
    """None: as in the settings."""
    together: Together | None = None
    """How several requests that come at once share a transaction; only for a route that is called straight."""


@dataclass(slots=True, eq=False)
class Visit:
    """One request on its way through the doors."""

    door: Door
    request_id: str
    body: bytes = b""
    principal: Principal | None = None
    tx: Transaction | None = None
    content: Any = None
    """The body as the route takes it, once it has been read."""
    shown: BaseModel | None = None
    """What the answer shows, where the route was called straight."""

    @property
    def transaction(self) -> Transaction:
        assert self.tx is not None, "this route opens its own transactions"
        return self.tx

    @property
    def caller(self) -> Principal:
        assert self.principal is not None, "this route is open to anyone"
        return self.principal


class Passage(Protocol):
    """What `app.state.doors` is."""

    async def through(self, request: Request, route: "DoorRoute", handler: Handler) -> Response: ...


class DoorRoute(APIRoute):
    """An APIRoute whose handler runs behind the doors of its application."""

    door: Door = Door(scope=None)

    @functools.cached_property
    def query_names(self) -> frozenset[str]:
        """The query parameters that this route has, its dependencies' included; a request may carry no others."""
        found = get_flat_params(self.dependant)
        return frozenset(field.alias for field in found if isinstance(field.field_info, params.Query))

    def get_route_handler(self) -> Callable[[Request], Any]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            doors = cast(Passage, request.app.state.doors)
            return await doors.through(request, self, handler)

        return handle


class Router(APIRouter):
    """Routes under one prefix. `open_to="anyone"` and `idempotent=False` are for webhooks and test tools."""

    def __init__(
        self,
        prefix: str = "",
        tags: Sequence[str] = (),
        *,
        open_to: Literal["callers", "anyone"] = "callers",
        idempotent: bool = True,
    ) -> None:
        super().__init__(prefix=prefix, tags=list(tags), route_class=DoorRoute)
        self._open_to = open_to
        self._idempotent = idempotent

    def operation(
        self,
        method: str,
        path: str,
        *,
        scope: str | None = None,
        idempotent: bool | None = None,
        phi: bool = False,
        audited: bool = True,
        transaction: bool = True,
        subject: str | None = None,
        accepts: Sequence[str] | None = None,
        body_limit_bytes: int | None = None,
        together: Together | None = None,
        **fastapi: Any,
    ) -> Callable[[F], F]:
        """A route; further arguments (status_code, summary, response_model, responses, …) are FastAPI's."""
        assert scope or self._open_to == "anyone", f"{method} {path} has no scope"
        door = Door(
            scope=scope,
            open_to=self._open_to,
            transaction=transaction,
            idempotent=method == "POST" and (self._idempotent if idempotent is None else idempotent),
            phi=phi,
            audited=audited and self._open_to == "callers",
            subject=subject,
            accepts=accepts or (MERGE_PATCH if method == "PATCH" else JSON),
            body_limit_bytes=body_limit_bytes,
            together=together,
        )
        if accepts is not None and "openapi_extra" not in fastapi:
            schema = {"schema": {"type": "string", "format": "binary"}}
            fastapi["openapi_extra"] = {
                "requestBody": {"required": True, "content": {kind: schema for kind in accepts}}
            }

        def add(function: F) -> F:
            self.add_api_route(path, function, methods=[method], **fastapi)
            route = self.routes[-1]
            assert isinstance(route, DoorRoute)
            route.door = door
            return function

        return add

    def get(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.operation("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.operation("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.operation("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.operation("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[F], F]:
        return self.operation("DELETE", path, **options)


def again(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """For `responses`: what was there already is answered with 200."""
    return {200: {"model": model, "description": "It was there already, and is as it was"}}


def enter(request: Request, visit: Visit) -> None:
    request.scope[_VISIT] = visit


def visit_of(request: Request) -> Visit:
    return cast(Visit, request.scope[_VISIT])


async def _transaction(request: Request) -> Transaction:
    return visit_of(request).transaction


async def _caller(request: Request) -> Principal:
    return visit_of(request).caller


async def _raw_body(request: Request) -> bytes:
    return visit_of(request).body


Tx = Annotated[Transaction, Depends(_transaction)]
"""The transaction of this request, committed before the answer leaves."""
Caller = Annotated[Principal, Depends(_caller)]
RawBody = Annotated[bytes, Depends(_raw_body)]
"""The body as it came, for routes that take something else than JSON (`accepts=X12`)."""


@functools.cache
def subject_type(path: str) -> str | None:
    """The kind of thing that a path is about: `/v1/claims/{claim_id}/appeals` is about a claim."""
    parts = [part for part in path.split("/") if part and part != "v1"]
    named = [part[1:-1].removesuffix("_id") for part in parts if part.startswith("{")]
    if named:
        return named[-1].replace("-", "_")
    return parts[-1].partition(":")[0].replace("-", "_").removesuffix("s") if parts else None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Straight:
    """A route's function, called with its body, what the visit brings, and an answer to write on."""

    route: APIRoute
    field: ModelField
    model: type[BaseModel]
    visits: Mapping[str, Callable[["Visit"], Any]]
    """What the function takes of the visit, by its parameters' names."""
    notes: str | None
    """The parameter that takes the answer to write on."""

    async def __call__(self, request: Request) -> Response:
        """It answers as the framework's handler would."""
        visit, noted = visit_of(request), Noted()
        if visit.content is None:
            await self.read(request)
        given = {name: of(visit) for name, of in self.visits.items()}
        if self.notes is not None:
            given[self.notes] = noted
        return self.write(visit, await self.route.endpoint(**given, **{self.field.name: visit.content}), noted)

    async def read(self, request: Request) -> None:
        """The visit has the body as the function takes it. Raises RequestValidationError."""
        visit, value, errors = visit_of(request), None, [_NO_BODY]
        if visit.body:
            value, errors = self.field.validate(await request.json(), {}, loc=("body",))
        if errors:
            raise RequestValidationError(errors)
        visit.content = value

    def write(self, visit: Visit, found: Any, noted: "Noted") -> Response:
        """The answer of what the function returned and noted."""
        if isinstance(found, Response):
            return found
        if type(found) is not self.model:
            assert self.route.response_field is not None, "a route that is called straight has a model"
            found, wrong = self.route.response_field.validate(found, {}, loc=("response",))
            assert not wrong, "a route answers with its model"
        visit.shown = found
        answer = Response(found.model_dump_json(by_alias=True), noted.status_code or self.route.status_code or 200)
        answer.raw_headers += [(b"content-type", JSON[0].encode()), *noted.raw_headers]
        return answer


def straight(route: APIRoute) -> Straight | None:
    """How to call the route without the framework; None for one that takes or gives more than a body and its model.

    The framework solves anew for each request what is known of such a route from the start.
    """
    wants, gives = route.dependant, route.response_field
    more = (wants.path_params, wants.query_params, wants.header_params, wants.cookie_params, wants.request_param_name)
    named = {one.call: str(one.name) for one in wants.dependencies}
    if any(more) or gives is None or len(wants.body_params) != 1 or not named.keys() <= _OF_VISIT.keys():
        return None
    [field] = wants.body_params
    model = gives.field_info.annotation
    if route.body_field is not field or not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None

    visits = {name: _OF_VISIT[what] for what, name in named.items()}
    return Straight(route=route, field=field, model=model, visits=visits, notes=wants.response_param_name)


class Noted(Response):
    """What a route's function says of its answer beside the content."""

    def __init__(self) -> None:
        self.status_code = 0
        self.raw_headers = []


_OF_VISIT: Final[Mapping[Any, Callable[[Visit], Any]]] = {
    _transaction: lambda visit: visit.transaction,
    _caller: lambda visit: visit.caller,
    _raw_body: lambda visit: visit.body,
}
_NO_BODY: Final = {"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}
