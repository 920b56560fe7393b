"""One trace leads from the EHR's webhook through every event and every timer to the ledger's posting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local import postgres
from deploy.local.platform import Platform
from tests.collector import Collector, Span
from tests.platform import TUESDAY, Scenario

pytestmark = pytest.mark.flow

ROOTS = ("1" * 16, "2" * 16)
TRACES = ("1" * 31 + "a", "2" * 31 + "b")
WAY = (
    ("claims", "POST /v1/inbound/{source_id}"),
    ("claims", "claims.inbound"),
    ("eligibility", "encounter.created process"),
    ("eligibility", "eligibility.check"),
    ("claims", "eligibility.checked process"),
    ("claims", "claims.batch"),
    ("claims", "claims.submitted"),
    ("remittance", "claim.submitted process"),
    ("claims", "claims.acknowledged"),
    ("remittance", "remittance.payment"),
    ("remittance", "insert remittance.journal"),
    ("claims", "payment.posted process"),
    ("reporting", "payment.posted process"),
)
"""What every session's trace holds, whoever does it, and however many are done at once."""


@asynccontextmanager
async def traced_by(client: httpx.AsyncClient, traceparent: str) -> AsyncIterator[None]:
    client.headers["traceparent"] = traceparent
    yield
    del client.headers["traceparent"]


@pytest.fixture
async def collected(tmp_path: Path, http: httpx.AsyncClient) -> list[Span]:
    """What a collector has when two sessions, sent and paid together, have been posted and everything has stopped."""
    home = tmp_path / "home"
    with Collector.listening() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
        patch.delenv("PARITY_DATABASE", raising=False)
        async with Platform.running(home) as platform:
            scenario = await Scenario.open(platform, http)
            for trace_id, root in zip(TRACES, ROOTS, strict=True):
                patient = await scenario.patient("pay_harborbh")
                async with traced_by(http, f"00-{trace_id}-{root}-01"):
                    await scenario.tell_session(patient)
            await scenario.claims_go_out()
            await scenario.payer_pays(TUESDAY)
            assert (await scenario.totals())["payer_paid_cents"] == 2 * 6_888
        await asyncio.to_thread(postgres.remove, home)
        return collector.spans()


async def test_one_trace_leads_from_the_webhook_to_the_ledger(collected: list[Span]) -> None:
    assert {span.trace_id for span in collected} == set(TRACES), "what nobody asked to be recorded is not"
    for trace_id, root in zip(TRACES, ROOTS, strict=True):
        spans = [span for span in collected if span.trace_id == trace_id]
        there = {(span.service, span.name) for span in spans}
        assert [step for step in WAY if step not in there] == []
        known = {span.span_id for span in spans} | {root}
        assert [span for span in spans if span.parent_id not in known] == [], "each span hangs on another"
        journals = [span for span in spans if span.name == "insert remittance.journal"]
        assert len(journals) == 2, "the charge and the payment of this session, and of no other"
    batches = [span for span in collected if span.name in ("claims.submitted", "remittance.payment")]
    assert len(batches) == 4
    statements = [span for span in collected if "db.system.name" in span.attributes]
    assert {frozenset(span.attributes) for span in statements} == {
        frozenset({"db.system.name", "db.operation.name", "db.collection.name"})
    }
