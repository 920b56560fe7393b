"""A service's HTTP API: its own routes and the kernel's, all behind the same doors.

Services import from here what their routes need; what happens on the way through is in `doors.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.common import audit, auth, failures, metrics, notes, openapi, operators, tasks, webhook_routes
from libs.common.auth import Principal
from libs.common.clock import PlatformClock, SystemClock
from libs.common.composition import Service
from libs.common.db import Database
from libs.common.doors import REQUEST_ID, Doors, Here
from libs.common.pages import (
    Cursor,
    IfMatch,
    Limit,
    Page,
    check_version,
    etag,
    invalid_query,
    paginate,
    set_etag,
)
from libs.common.problems import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    PreconditionFailed,
    Problem,
    Unavailable,
)
from libs.common.rates import Limits
from libs.common.routing import (
    BULK_BYTES,
    X12,
    Caller,
    DoorRoute,
    Handler,
    RawBody,
    Router,
    Tx,
    again,
    straight,
)
from libs.common.sealing import Keyring
from libs.common.settings import MissingSetting, ServiceSettings
from libs.common.threshold import Threshold
from libs.common.together import Lanes, Member, Together

__all__ = [
    "BULK_BYTES",
    "X12",
    "Caller",
    "Conflict",
    "Cursor",
    "FieldError",
    "Forbidden",
    "Here",
    "IfMatch",
    "Invalid",
    "Limit",
    "Malformed",
    "Member",
    "NotFound",
    "Page",
    "PreconditionFailed",
    "Principal",
    "Problem",
    "RawBody",
    "Router",
    "Together",
    "Tx",
    "Unavailable",
    "again",
    "check_version",
    "create_api",
    "etag",
    "invalid_query",
    "paginate",
    "set_etag",
]


_SHORTEST_KEY: Final = 32


def create_api(service: Service, settings: ServiceSettings, *, database: Database | None = None) -> FastAPI:
    """The API of `service`: its routers, the kernel's routes, `/livez`, `/readyz`, `/openapi.json`."""
    db = database or _database(settings)
    api = _Api(
        title=f"Parity {service.name}",
        version="1",
        description=service.title,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
        lifespan=_lifespan,
        mapped=service.problems,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    api.state.doors = Doors(
        service=service.name,
        db=db,
        verifier=auth.verifier(settings.jwks, issuer=settings.issuer, audience=settings.audience),
        cursor_key=_cursor_key(settings),
        body_limit_bytes=settings.body_limit_bytes,
        limits=Limits(settings.rate_per_second, settings.rate_burst),
        strangers=Limits(settings.rate_per_second, settings.rate_burst),
        local=settings.local,
        lanes=Lanes(db),
    )
    for router in (*service.routers, *_kernel_routers(service)):
        api.include_router(router)
        api.know(router)
    api.router.routes += [*operators.probes(service, db), Route("/metrics", operators.counted, include_in_schema=False)]
    _refusals(api, service)
    return api


class _Api(FastAPI):
    """FastAPI; who calls a plain route at its exact path comes to its doors without a search."""

    def __init__(self, *, mapped: failures.Mapped, **fastapi: Any) -> None:
        super().__init__(middleware=[Middleware(Threshold, mapped=mapped)], **fastapi)
        self._mapped = mapped
        self._straight: dict[tuple[str, str], ASGIApp] = {}

    def know(self, router: APIRouter) -> None:
        """Its plain routes are found at once."""
        for route in router.routes:
            if isinstance(route, DoorRoute) and (handler := straight(route)) is not None:
                way = Threshold(self._way(route, handler), self._mapped)
                self._straight |= {(method, route.path): way for method in route.methods or ()}

    def _way(self, route: DoorRoute, handler: Handler) -> ASGIApp:
        async def through(scope: Scope, receive: Receive, send: Send) -> None:
            scope.update(app=self, route=route, endpoint=route.endpoint, path_params={})
            answer = await self.state.doors.through(Request(scope, receive, send), route, handler)
            await answer(scope, receive, send)

        return through

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = self._straight.get((scope.get("method", ""), scope.get("path", "")))
        if known is None or scope.get("root_path"):
            await super().__call__(scope, receive, send)
        else:
            await known(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi.document(self, super().openapi)
        return self.openapi_schema


def _kernel_routers(service: Service) -> list[Router]:
    found = [tasks.routes(service.name, service.tied_tasks), notes.routes(service.name), audit.routes(service.name)]
    if service.inbound:
        found += webhook_routes.routes(service)
    return found


def _database(settings: ServiceSettings) -> Database:
    clock = PlatformClock() if settings.business_clock == "platform" else SystemClock()
    keyring = Keyring.load(settings.keyring)
    return Database(settings.database("api"), service=settings.service, clock=clock, keyring=keyring)


def _cursor_key(settings: ServiceSettings) -> bytes:
    try:
        found = settings.cursor_key.read_bytes()
    except OSError:
        raise MissingSetting("PARITY_CURSOR_KEY (a file with 32 random bytes or more)") from None
    if len(found) < _SHORTEST_KEY:
        raise MissingSetting("PARITY_CURSOR_KEY (a file with 32 random bytes or more)")
    return found


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    watching = asyncio.create_task(metrics.watch_loop())
    try:
        yield
    finally:
        watching.cancel()
        await api.state.doors.db.close()


def _refusals(api: FastAPI, service: Service) -> None:
    """What the framework refuses by itself is answered as a problem, like everything else."""

    async def refuse(request: Request, error: Exception) -> Response:
        problem = failures.problem_of(error, service.problems)
        if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
            problem.headers["Allow"] = ", ".join(openapi.methods(api, request.url.path))
        failures.record(problem, error)
        return failures.answer(problem, request.scope.get(REQUEST_ID))

    for kind in (HTTPException, RequestValidationError):
        api.add_exception_handler(kind, refuse)
