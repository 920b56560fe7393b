"""One trace goes from the request to what it causes, and no span says what was sent."""

import logging
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.common import telemetry

HEADER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "",
        "x",
        HEADER + "-more",
        HEADER.upper(),
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
    ],
)
def test_what_is_no_trace_context_is_ignored(wrong: str | None) -> None:
    assert telemetry.from_header(wrong) is None


def test_a_trace_context_is_read_and_written_alike() -> None:
    context = telemetry.from_header(HEADER)
    assert context is not None
    assert telemetry.to_header(context) == HEADER


def test_without_a_provider_the_trace_is_carried_all_the_same() -> None:
    assert telemetry.current() is None
    with telemetry.span("outer", parent=HEADER):
        carried = telemetry.current()
        assert carried is not None
        with telemetry.span("inner"):
            inner = telemetry.current()
            assert inner is not None
    assert {text.split("-")[1] for text in (HEADER, carried, inner)} == {HEADER.split("-")[1]}
    assert telemetry.current() is None


def test_without_a_parent_a_trace_begins() -> None:
    seen = set()
    for _ in range(2):
        with telemetry.span("first"):
            seen.add(telemetry.current())
    assert len(seen) == 2


@pytest.fixture(scope="module")
def provided() -> Iterator[tuple[TracerProvider, InMemorySpanExporter]]:
    """A provider of these tests' own; the process has none."""
    exporter = InMemorySpanExporter()
    provider = telemetry.provider("test", SimpleSpanProcessor(exporter))
    yield provider, exporter
    provider.shutdown()


@pytest.fixture
def spans(
    provided: tuple[TracerProvider, InMemorySpanExporter], monkeypatch: pytest.MonkeyPatch
) -> InMemorySpanExporter:
    provider, exporter = provided
    exporter.clear()
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    return exporter


def test_a_span_is_the_child_of_the_stored_context(spans: InMemorySpanExporter) -> None:
    with telemetry.span("consume", parent=HEADER):
        pass
    (span,) = spans.get_finished_spans()
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == HEADER.split("-")[2]


def test_a_share_of_a_batch_stands_in_its_own_trace_and_is_linked_with_the_batch(spans: InMemorySpanExporter) -> None:
    with telemetry.span("batch") as batch:
        with telemetry.share("another's share", HEADER):
            pass
        with telemetry.share("nobody's share", None):
            pass
        with telemetry.share("our own share", telemetry.current()):
            pass
    share, nobodys, own, _ = spans.get_finished_spans()
    ours = batch.get_span_context().trace_id
    assert f"{share.context.trace_id:032x}" == HEADER.split("-")[1]
    assert [link.context.trace_id for link in share.links] == [ours]
    assert [(one.context.trace_id, len(one.links)) for one in (nobodys, own)] == [(ours, 0)] * 2


def test_an_exception_leaves_its_type_and_none_of_its_words(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Jo"), telemetry.span("step"):
        raise ValueError("Jo Rivera")
    (span,) = spans.get_finished_spans()
    assert span.status.description == "ValueError"
    assert span.events == ()
    assert "Rivera" not in span.to_json()


async def test_the_span_of_a_request_names_the_route_and_not_what_was_sent(
    biller: httpx.AsyncClient, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await biller.get("/v1/visits/Jo-Rivera?name=Jo+Rivera", headers={"traceparent": HEADER})
    (span,) = (one for one in spans.get_finished_spans() if one.kind is trace.SpanKind.SERVER)
    assert span.name == "GET /v1/visits/{visit_id}"
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == 422
    assert f"{span.context.trace_id:032x}" == HEADER.split("-")[1]
    assert "Rivera" not in span.to_json()
    ours = [record for record in caplog.records if record.name.startswith("libs.")]
    assert [record.__dict__["route"] for record in ours] == ["/v1/visits/{visit_id}"]
    assert "Rivera" not in str([record.__dict__ for record in ours])


def test_without_an_endpoint_nothing_is_installed() -> None:
    telemetry.configure("test", None)
    assert telemetry.tracer() is None
