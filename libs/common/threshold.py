"""The outermost layer of an API: a request id and a trace for each request, one log line, and no exception past it."""

import logging
import re
import time
from typing import Final

from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common import bodies, failures, logs, metrics, telemetry
from libs.common.doors import RATE_HEADERS, REQUEST_ID
from libs.common.ids import new_id

log = logging.getLogger(__name__)

_GIVEN: Final = re.compile(r"req_[0-9a-zA-Z]{8,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_QUIET: Final = frozenset({"/livez", "/readyz", "/metrics"})


class Threshold:
    """ASGI middleware; `mapped` are the service's own exceptions."""

    def __init__(self, app: ASGIApp, mapped: failures.Mapped) -> None:
        self._app = app
        self._mapped = mapped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = bodies.headers(scope)
        request_id = _request_id(headers.get("x-request-id"))
        scope[REQUEST_ID] = request_id
        parent = headers.get("traceparent")
        with logs.bound(request_id=request_id), telemetry.span("request", parent=parent, kind=SpanKind.SERVER) as span:
            await self._serve(scope, receive, send, request_id, span)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str, span: Span) -> None:
        began = time.perf_counter()
        status = 0
        traceparent = telemetry.to_header(span.get_span_context())
        extra = [(b"x-request-id", request_id.encode()), (b"traceparent", traceparent.encode())]

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *extra, *scope.get(RATE_HEADERS, ())]}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001  the last place that can still answer
            problem = failures.problem_of(error, self._mapped)
            failures.record(problem, error)
            if status == 0:
                await failures.answer(problem, request_id)(scope, receive, sending)
        _tell(scope, status, time.perf_counter() - began, span)


def _tell(scope: Scope, status: int, seconds: float, span: Span) -> None:
    """One line and one span for a request, by the route's template: what was sent as path and query is in neither."""
    route = getattr(scope.get("route"), "path_format", None)
    if route is None and scope["path"] in _QUIET:
        return
    metrics.request(scope["method"], route, status, seconds)
    span.update_name(f"{scope['method']} {route or '-'}")
    span.set_attributes(
        {"http.request.method": scope["method"], "http.route": route or "-", "http.response.status_code": status}
    )
    if status >= 500:
        span.set_status(StatusCode.ERROR)
    log.info(
        "request",
        extra={
            "method": scope["method"],
            "route": route or "-",
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
        },
    )


def _request_id(given: str | None) -> str:
    """The caller's own id if it is plainly an id, else a new one; it ends up in logs, so nothing else is taken."""
    return given if given is not None and _GIVEN.fullmatch(given) else new_id("req")
