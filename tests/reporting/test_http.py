"""Figures, work lists, events and exports as an analyst asks for them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.reporting.app import create_service
from tests.calls import Api, open_api
from tests.conftest import TestDatabase
from tests.reporting.ledgers import a_month, a_task, project, record


@pytest.fixture
async def api(fresh_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(create_service(), fresh_database, tmp_path) as found:
        records = [raw.replace(b"tnt_test", found.tenant.encode()) for raw in a_month()]
        await project(found.worker, records, found.tenant)
        yield found


async def test_each_figure_comes_with_its_formula_and_its_parts(api: Api) -> None:
    found = await api.get("/v1/kpis?from=2026-10-01&to=2026-10-31")
    assert {r["name"] for r in found["ratios"]} >= {"clean_claim_rate", "denial_rate", "days_in_ar"}
    assert all("÷" in r["formula"] for r in found["ratios"])
    assert found["money"]["difference_cents"] == 0
    assert found["claims_by_status"] == {"paid": 12}


async def test_a_period_that_ends_before_it_begins_is_refused(api: Api) -> None:
    answer = await api.call("GET", "/v1/kpis?from=2026-10-31&to=2026-10-01")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "period_reversed")


async def test_the_work_list_is_the_union_of_all_services(api: Api) -> None:
    open_tasks = [record(a_task(99, "open"), 1, source, api.tenant) for source in ("claims", "eligibility")]
    await project(api.worker, open_tasks, api.tenant)
    first = await api.get("/v1/worklist?limit=1")
    second = await api.get(f"/v1/worklist?limit=1&cursor={first['page']['next_cursor']}")
    assert [t["source"] for t in (*first["data"], *second["data"])] == ["/services/claims", "/services/eligibility"]
    assert (await api.get("/v1/worklist?owner=nobody"))["data"] == []
    summary = await api.get("/v1/summary")
    assert summary["tasks_by_reason"] == {"denied": 2}
    assert summary["encounters"] == 0


async def test_a_table_can_be_taken_home_as_a_file(api: Api) -> None:
    answer = await api.call("GET", "/v1/exports/claim")
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(answer.text.splitlines()) == 13
    assert "tenant_id" not in answer.text
    lines = (await api.call("GET", "/v1/exports/claim?format=ndjson")).text.splitlines()
    assert len(lines) == 12
    assert (await api.call("GET", "/v1/exports/pg_user")).status_code == 404


async def test_another_tenant_sees_nothing_of_it(api: Api) -> None:
    token = api.token(tenant_id="tnt_other")
    assert (await api.get("/v1/kpis", token=token))["claims_by_status"] == {}
    assert (await api.get("/v1/events", token=token))["data"] == []
