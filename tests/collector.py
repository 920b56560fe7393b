"""An OpenTelemetry collector that keeps what it is sent."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.serving import serving


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span as a backend would show it; ids in hexadecimal, links as the trace ids that they lead to."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    attributes: dict[str, str]


@dataclass(slots=True, eq=False)
class Collector:
    """An OpenTelemetry collector that keeps every span as it came."""

    url: str
    taken: list[bytes] = field(default_factory=list)

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator["Collector"]:
        found = cls("")

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                found.taken.append(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing is said of what came."""

        with serving(Handler) as found.url:
            yield found

    def spans(self) -> list[Span]:
        """Every span that has come so far."""
        found = []
        for body in self.taken:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                named = {one.key: one.value.string_value for one in resource.resource.attributes}
                found += [
                    Span(
                        service=named["service.name"].removeprefix("parity-"),
                        name=one.name,
                        trace_id=one.trace_id.hex(),
                        span_id=one.span_id.hex(),
                        parent_id=one.parent_span_id.hex(),
                        links=tuple(link.trace_id.hex() for link in one.links),
                        attributes={a.key: a.value.string_value for a in one.attributes},
                    )
                    for scope in resource.scope_spans
                    for one in scope.spans
                ]
        return found
