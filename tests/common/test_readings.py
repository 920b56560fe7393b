"""A worker's figures are true, cost no more than asked, and say when they cannot be read."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from libs.common import operators
from libs.common.composition import Reading, Service
from libs.common.db import Database, Transaction
from libs.common.log import LogUnavailable, TopicPartition, open_log
from libs.common.readings import Readings, flow
from services.claims.app import create_service as claims
from services.remittance.app import create_service as remittance
from tests.conftest import TestDatabase

TENANT = "tnt_1"


class Behind:
    """A log of which this group has read all but seven records."""

    away = False

    async def lag(self, _group: str, topics: list[str]) -> dict[TopicPartition, int]:
        if self.away:
            raise LogUnavailable("gone")
        return {TopicPartition(topics[0], 0): 3, TopicPartition(topics[0], 5): 4}


def figures(text: str) -> dict[str, float]:
    """Each sample by its name and labels, as Prometheus reads them."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
async def db(module_database: TestDatabase) -> Database:
    return module_database.open("claims")


async def test_what_waits_in_the_schema_and_in_the_log_is_counted(db: Database) -> None:
    async with db.transaction(TENANT) as tx:
        for number in range(3):
            await tx.connection.execute(
                "insert into outbox (event_id, topic, key, tenant_id, value, created_at) values "
                f"(gen_random_uuid(), 't', 'k{number}', 'tnt_1', 'x', clock_timestamp() - interval '90 seconds')"
            )
            await tx.connection.execute(
                "insert into parked (event_id, topic, key, value, reason, parked_at) values "
                f"(gen_random_uuid(), 't', 'k{number % 2}', 'x', 'why', clock_timestamp() - interval '1 hour')"
            )
    found = figures((await Readings(claims(), db, Behind()).text()).decode())  # type: ignore[arg-type]
    first = next(iter(claims().consumes))
    assert found["parity_outbox_unsent"] == 3
    assert 90 <= found["parity_outbox_oldest_seconds"] < 120
    assert found["parity_parked_keys"] == 2
    assert 3600 <= found["parity_parked_oldest_seconds"] < 3700
    assert found[f"parity_consumer_lag claims {first}"] == 7
    assert found["parity_claims_open in_doubt"] == 0
    assert found["parity_claim_in_doubt_oldest_seconds"] == 0
    assert found["parity_readings_up"] == 1
    assert (await flow(claims(), db, Behind()))["lag"] == 7  # type: ignore[arg-type]


async def test_a_figure_is_read_again_only_when_it_is_too_old(db: Database) -> None:
    asked = 0

    async def read(_: Transaction) -> dict[tuple[str, ...], float]:
        nonlocal asked
        asked += 1
        return {(): asked}

    often = Reading(name="parity_often", words="Often.", read=read, every_seconds=0)
    seldom = Reading(name="parity_seldom", words="Seldom.", read=read, every_seconds=3600)
    service = Service(name="claims", title="", migrations=Path(), readings=(often, seldom))
    readings = Readings(service, db, Behind())  # type: ignore[arg-type]
    first, second = figures((await readings.text()).decode()), figures((await readings.text()).decode())
    assert (first["parity_often"], first["parity_seldom"]) == (1, 2)
    assert (second["parity_often"], second["parity_seldom"]) == (3, 2)


async def test_what_cannot_be_read_is_left_out_and_said(db: Database) -> None:
    log = Behind()
    log.away = True
    found = figures((await Readings(claims(), db, log).text()).decode())  # type: ignore[arg-type]
    assert found["parity_readings_up"] == 0
    assert "parity_outbox_unsent" in found
    assert not any(name.startswith("parity_consumer_lag") for name in found)


@pytest.fixture
async def page(module_database: TestDatabase) -> AsyncIterator[httpx.AsyncClient]:
    url = module_database.url("remittance", "worker")
    log = open_log(url)
    app = operators.page(remittance(), module_database.open("remittance"), log)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://worker.test") as client:
        yield client
    await log.close()


async def test_a_worker_answers_its_operators(page: httpx.AsyncClient) -> None:
    assert (await page.get("/livez")).text == (await page.get("/readyz")).text == "ok\n"
    quiet = (await page.get("/flow")).json()
    assert {name: quiet[name] for name in ("outbox", "parked", "timers_due", "lag", "in_doubt")} == dict.fromkeys(
        ("outbox", "parked", "timers_due", "lag", "in_doubt"), 0
    )
    found = figures((await page.get("/metrics")).text)
    assert found["parity_ledger_imbalance_cents"] == 0
    assert "process_resident_memory_bytes" in found


async def test_no_look_reads_a_whole_table_that_grows(db: Database) -> None:
    """The plans of the looks touch the inbox not at all, and of the archive the end of an index only."""
    from libs.common import readings  # noqa: PLC0415  its statements are what is looked at

    for statement in (readings._FLOW, readings._DELIVERY):
        assert "inbox" not in statement.text
    async with db.transaction() as tx:
        await tx.connection.execute("set local enable_seqscan = off")
        plan = await tx.connection.fetch("explain select coalesce(max(id), 0) from sent")
        words = "\n".join(row[0] for row in plan)
    assert "Limit" in words
    assert "Index Only Scan Backward" in words
