"""A backup taken while everything ran becomes a platform with the same figures, and the month goes on there."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from deploy.local import backup, postgres
from deploy.local.demo import month
from deploy.local.demo.client import Client
from deploy.local.demo.figures import gather, unaccounted_cents
from deploy.local.demo.oddities import with_oddities
from deploy.local.demo.opening import open_practice
from deploy.local.demo.people import People
from deploy.local.demo.practice import FIRST_DAY, build
from deploy.local.demo.quiet import quiet
from deploy.local.environment import Environment
from deploy.local.platform import Platform
from libs.common import replay
from libs.common.log import open_log
from services.reporting.facts import PROJECTIONS
from services.reporting.rebuild import rebuild
from tests.conftest import TestDatabase

pytestmark = pytest.mark.slow

BACKED_UP = date(2026, 10, 6)
LAST_DAY = date(2026, 10, 8)
GROUPS = ("eligibility", "claims", "remittance", "credentialing", "reporting")
MARGIN = 100_000


@pytest.fixture(autouse=True)
def own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARITY_DATABASE", raising=False)


async def days(client: Client, people: People, first: date, last: date) -> dict[str, Any]:
    """The figures of the evening of the last of these days."""
    await month.run(client, people, lambda *_: None, first_day=first, last_day=last)
    return (await gather(client, seconds=0)).kept


async def numbers(home: Path) -> list[int]:
    """The control number of each 837 so far, in the order in which they were made."""
    return [row["control_number"] for row in await query(home, "select control_number from claims.batch order by id")]


async def query(home: Path, statement: str) -> list[Mapping[str, Any]]:
    connection = await asyncpg.connect(database_of(home))
    try:
        return [dict(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def database_of(home: Path) -> str:
    return f"{postgres.address_of(home).rpartition('/')[0]}/parity"


async def analytics(home: Path) -> dict[str, list[bytes]]:
    """Every row of every analytics table."""
    return {
        p.table: sorted(
            [orjson.dumps(row, default=str) for row in await query(home, f"select * from reporting.{p.table}")]
        )
        for p in PROJECTIONS
    }


async def replay_everything(home: Path) -> int:
    """Every archived event is in the log again, for every service that has not had it."""
    environment = Environment.of_running(home)
    count = 0
    for schema in GROUPS:
        url = environment.role_url(schema, "worker")
        event_log = open_log(url)
        for group in GROUPS:
            count += await replay.replay(url, schema, event_log, to=group, missing=True)
        await event_log.close()
    return count


async def test_a_backup_becomes_a_platform_with_the_same_figures_and_the_month_goes_on(tmp_path: Path) -> None:
    calm, first, second, kept = (tmp_path / name for name in ("calm", "first", "second", "backup"))
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        async with Platform.running(calm) as platform:
            client, people = await opened(platform, http)
            undisturbed = await days(client, people, FIRST_DAY, LAST_DAY)
        postgres.remove(calm)

        async with Platform.running(first) as platform:
            client, people = await opened(platform, http)
            at_backup = await days(client, people, FIRST_DAY, BACKED_UP)
            backup.back_up(first, database_of(first), kept)
            tables, used = await analytics(first), await numbers(first)
            base = platform.base_port  # what a tenant was told of its clearinghouse holds its address
        postgres.remove(first)

        await backup.restore_home(second, "parity", kept)
        async with Platform.running(second, base_port=base) as platform:
            client.platform = platform
            await quiet(client)
            rows = await rebuild(Environment.of_running(second).role_url("reporting", "owner"))
            assert sum(rows.values()) > 300
            assert await analytics(second) == tables
            assert await replay_everything(second) > 300
            await quiet(client)
            assert await analytics(second) == tables
            assert (await gather(client, seconds=0)).kept == at_backup

            figures = await days(client, people, date(2026, 10, 7), LAST_DAY)
            later = await numbers(second)
        postgres.remove(second)

    assert at_backup["payer_paid_cents"] > 0
    assert figures == undisturbed
    assert unaccounted_cents(figures) == figures["ledger_imbalance_cents"] == 0
    assert later[: len(used)] == used
    assert min(later[len(used) :]) > max(used) + MARGIN


async def opened(platform: Platform, http: httpx.AsyncClient) -> tuple[Client, People]:
    client = Client(platform, http)
    world = with_oddities(build(7))
    return client, People(client, world, await open_practice(client, world))


async def test_a_database_of_one_service_alone_has_its_numbers_raised_and_any_other_has_none_to_raise(
    fresh_database: TestDatabase,
) -> None:
    raised = backup.RESTORED.read_text()
    connection = await asyncpg.connect(fresh_database.admin_url)
    try:
        await connection.execute("insert into claims.counter values ('tnt_a', 'a_submitter', 7)")
        await connection.execute("drop schema eligibility cascade")
        await connection.execute(raised)
        assert await connection.fetchval("select last from claims.counter where name = 'a_submitter'") == 100_007
        await connection.execute("drop schema claims cascade")
        await connection.execute(raised)
    finally:
        await connection.close()
