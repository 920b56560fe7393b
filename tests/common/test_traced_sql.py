"""A statement's span says what it did to which table, and nothing of what was in it."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
import sqlalchemy as sa
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.common import telemetry, traced_sql
from libs.common.db import Database
from tests.conftest import TestDatabase

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("statement", "about"),
    [
        ("select id from claims.claim where id = $1", ("select", "claims.claim")),
        ("insert into outbox (id) values ($1)", ("insert", "outbox")),
        ("UPDATE claims.claim SET version=$1", ("update", "claims.claim")),
        ("delete from timer where id = $1", ("delete", "timer")),
        ("with gone as (delete from outbox returning *) insert into sent select * from gone", ("delete", "outbox")),
        ("with a as (select 1 from task) select * from a", ("select", "task")),
        ("insert into audit select s from unnest($1::text[]) s", ("insert", "audit")),
        ("select x from unnest($1::text[]) x", ("select", "")),
        ("select set_config('a', $1, true)", ("select", "set_config")),
        ("BEGIN;", ("begin", "")),
        ("", ("", "")),
    ],
)
def test_a_statement_is_told_by_its_kind_and_its_table(statement: str, about: tuple[str, str]) -> None:
    assert traced_sql.about(statement) == about


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider: TracerProvider = telemetry.provider("test", SimpleSpanProcessor(exporter), sampled=0)
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


async def _work(db: Database) -> None:
    """Statements with a value, with a list of them, and some that fail."""
    async with db.transaction("tnt_1") as tx:
        await tx.execute(sa.text("delete from timer where id = :id"), {"id": "Jo Rivera"})
        await tx.execute(sa.text("delete from task where id in :ids").bindparams(sa.bindparam("ids", expanding=True)),
                         {"ids": ["Jo Rivera"]})  # fmt: skip
    for failing in ("select from nowhere where 'x' = 'Jo Rivera'", "select 1/0 from inbox"):
        with pytest.raises(sa.exc.DBAPIError):
            async with db.transaction("tnt_1") as tx:
                await tx.all(sa.text(failing))
    await asyncio.sleep(0)


async def test_every_statement_of_a_sampled_trace_is_a_span_without_its_values(
    spans: InMemorySpanExporter, module_database: TestDatabase
) -> None:
    db = module_database.open("claims")
    with telemetry.span("request", parent=SAMPLED):
        await _work(db)
    told = spans.get_finished_spans()
    names = [span.name for span in told]
    assert [names.count(name) for name in ("begin", "commit", "delete timer", "delete task")] == [3, 1, 1, 1]
    failed = {span.name: span.status.description for span in told if span.status.description}
    assert failed == {"select nowhere": "42P01", "select inbox": "22012"}
    assert {span.parent.span_id for span in told if span.parent and span.name != "request"} == {
        span.context.span_id for span in told if span.name == "request"
    }
    assert "Rivera" not in "".join(span.to_json() for span in told)


async def test_nothing_is_told_of_what_is_not_sampled(
    spans: InMemorySpanExporter, module_database: TestDatabase
) -> None:
    with telemetry.span("request", parent=SAMPLED[:-1] + "0"):
        await _work(module_database.open("claims"))
    assert spans.get_finished_spans() == ()


async def test_without_a_provider_no_connection_is_watched(module_database: TestDatabase) -> None:
    async with module_database.open("claims").transaction("tnt_1") as tx:
        driver: asyncpg.Connection = await tx.driver()
        assert not driver._query_loggers
