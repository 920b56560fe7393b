"""One trace from the webhook to the ledger: trace contexts are made, stored with outbox rows and taken up again.

Without an OTLP endpoint no tracer exists and spans cost next to nothing; the trace context is carried all the same, so
that one trace id is found in answers, events and logs. What runs now is known here, and not to OpenTelemetry's own
context: nothing else in a process makes spans. The span of a request is made in `threshold.py`: FastAPI's own
would carry paths and queries as they were sent. Of an exception its type is told, nothing more.
"""

import atexit
import os
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)
from opentelemetry.util.types import AttributeValue

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

SAMPLED: Final = "0.1"
EXPORT_SECONDS: Final = 1
"""A collector that does not answer must not hold up a process that is asked to stop."""
_HEADER: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


_TRACE_ENDS: Final = 35
"""Where the trace id of a `traceparent` ends."""
_NOT_SAMPLED: Final = TraceFlags(0)
_running: ContextVar[Span] = ContextVar("span", default=INVALID_SPAN)
_tracer: Tracer | None = None


def tracer() -> Tracer | None:
    """What makes the spans of this process; None where they go nowhere."""
    return _tracer


def running() -> Span:
    """The span of what runs now; an invalid one outside any trace."""
    return _running.get()


@contextmanager
def within(span: Span) -> Iterator[None]:
    """What runs inside belongs to the span, which somebody else ends."""
    token = _running.set(span)
    try:
        yield
    finally:
        _running.reset(token)


def from_header(traceparent: str | None) -> SpanContext | None:
    """The trace context of a W3C `traceparent`, or None where it is absent or malformed."""
    found = _HEADER.fullmatch((traceparent or "").strip())
    if found is None:
        return None
    trace_id, span_id = int(found[1], 16), int(found[2], 16)
    if not trace_id or not span_id:
        return None
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(int(found[3], 16)))


def to_header(context: SpanContext) -> str:
    return _header(context.trace_id, context.span_id, context.trace_flags)


@lru_cache(64)
def _header(trace_id: int, span_id: int, flags: int) -> str:
    """Kept for a while, for one unit of work asks for it with each of its events."""
    return f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}"


def current() -> str | None:
    """The `traceparent` of what runs now, to be stored with an outbox row; None outside any trace."""
    context = _running.get().get_span_context()
    return to_header(context) if context.is_valid else None


def configure(service: str, endpoint: str | None, *, sampled: float | None = None) -> None:
    """Spans of this process go to the OTLP collector at `endpoint`; without one nothing is recorded.

    New traces are sampled at `sampled` (else `OTEL_TRACES_SAMPLER_ARG`, else one in ten); a caller's decision is kept.
    """
    global _tracer  # noqa: PLW0603  of the process, as the spans' destination is
    if not endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  0.2 s to import
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces", timeout=EXPORT_SECONDS)
    ratio = float(os.environ.get("OTEL_TRACES_SAMPLER_ARG", SAMPLED)) if sampled is None else sampled
    made = provider(service, BatchSpanProcessor(exporter), ratio)
    _tracer = made.get_tracer("parity")
    atexit.register(made.shutdown)


def provider(service: str, processor: "SpanProcessor", sampled: float = 1.0) -> "TracerProvider":
    """A provider whose spans go through `processor`, without events, which would quote exceptions."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    made = TracerProvider(
        resource=Resource.create({"service.name": f"parity-{service}"}),
        sampler=ParentBased(TraceIdRatioBased(sampled)),
        span_limits=SpanLimits(max_events=0),
        shutdown_on_exit=False,
    )
    made.add_span_processor(processor)
    return made


@contextmanager
def span(
    name: str,
    *,
    parent: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: dict[str, AttributeValue] | None = None,
) -> Iterator[Span]:
    """What runs inside is a span, child of `parent` (a traceparent) or of what runs now; a new trace where neither is.

    Where `parent` belongs to another trace than what runs now, the span is linked with that, as a batch with its parts.
    An exception marks the span with its type and nothing of its text.
    """
    outer, around = from_header(parent), _running.get().get_span_context()
    if _tracer is None:
        opened: Span = NonRecordingSpan(outer or (around if around.is_valid else _fresh()))
    else:
        apart = outer is not None and around.is_valid and around.trace_id != outer.trace_id
        opened = _tracer.start_span(
            name,
            context=_after(_running.get() if outer is None else NonRecordingSpan(outer)),
            kind=kind,
            attributes=attributes,
            links=[Link(around)] if apart else None,
        )
    token = _running.set(opened)
    try:
        yield opened
    except BaseException as error:
        opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        _running.reset(token)
        opened.end()


def _after(parent: Span) -> Context:
    """Where a span begins that is the child of `parent`, or the first of its trace."""
    return trace.set_span_in_context(parent, Context())


def tell(
    name: str, *, kind: SpanKind, attributes: dict[str, AttributeValue], seconds: float, error: str | None
) -> None:
    """A span of what has just ended after so many seconds, a child of what runs now; its `error` is a code."""
    if _tracer is None:
        return
    ended = time.time_ns()
    told = _tracer.start_span(
        name, context=_after(_running.get()), kind=kind, attributes=attributes, start_time=ended - int(seconds * 1e9)
    )
    if error is not None:
        told.set_status(Status(StatusCode.ERROR, error))
    told.end(ended)


def share(name: str, flow: str | None) -> AbstractContextManager[Span]:
    """What runs inside is one flow's share of work for many: a span of the flow's own trace, linked with what runs now.

    `flow` is any context of that trace; where what runs now is part of it, or nobody knows it, the span is its child.
    """
    now = current()
    here = flow is None or (now is not None and now[:_TRACE_ENDS] == flow[:_TRACE_ENDS])
    return span(name, parent=None if here else flow)


def _fresh() -> SpanContext:
    """A new trace where no tracer makes one, not sampled."""
    chance = os.urandom(24)
    trace_id, span_id = int.from_bytes(chance[:16]) or 1, int.from_bytes(chance[16:]) or 1
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=_NOT_SAMPLED)
