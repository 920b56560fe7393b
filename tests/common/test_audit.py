"""The trail says who did or saw what, cannot be changed, and can be asked."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from libs.common import audit
from libs.common.db import Database
from tests.callers import Issuer, calling
from tests.conftest import TestDatabase

VISIT = {"minutes": 50, "name": "Jo Rivera"}


async def test_the_trail_can_be_asked_by_subject_actor_action_purpose_and_request(biller: httpx.AsyncClient) -> None:
    made = await biller.post("/v1/visits", json=VISIT, headers={"X-Purpose-Of-Use": "PAYMENT"})
    await biller.get("/v1/visits/" + made.json()["id"])

    for query in (
        {"subject_id": made.json()["id"]},
        {"actor": "usr_biller"},
        {"action": "reporting.create_visit"},
        {"why": "PAYMENT"},
        {"request_id": made.headers["x-request-id"]},
        {"until": "2999-01-01T00:00:00Z"},
    ):
        lines = (await biller.get("/v1/audit-events", params=query)).json()["data"]
        assert lines[0]["action"] == "reporting.create_visit", query
        assert lines[0]["request_id"] == made.headers["x-request-id"]
    assert (await biller.get("/v1/audit-events?since=2999-01-01T00:00:00Z")).json()["data"] == []


async def test_the_trail_holds_nothing_of_what_was_sent(biller: httpx.AsyncClient) -> None:
    await biller.post("/v1/visits", json=VISIT)
    assert "Rivera" not in (await biller.get("/v1/audit-events")).text


async def test_reading_the_trail_needs_its_own_scope(api: FastAPI, issuer: Issuer) -> None:
    async with calling(api, issuer.token(scopes=["reporting:read", "reporting:write"])) as caller:
        assert (await caller.get("/v1/audit-events")).status_code == 403


async def test_a_caller_of_one_practice_reads_its_lines_only(
    api: FastAPI, issuer: Issuer, worker: Database, tenant: str
) -> None:
    async with worker.transaction(tenant) as tx:
        for practice in ("prc_1", "prc_2", None):
            await audit.record(tx, "claim.viewed", "claim", "clm_1", practice_id=practice)
    async with calling(api, issuer.token(tenant_id=tenant, practice_ids=["prc_1"])) as caller:
        lines = (await caller.get("/v1/audit-events")).json()["data"]
    assert [line["practice_id"] for line in lines] == ["prc_1"]


@pytest.mark.parametrize("statement", ["update audit set actor = 'nobody'", "delete from audit", "truncate audit"])
@pytest.mark.parametrize("role", ["api", "worker"])
async def test_the_trail_cannot_be_changed(doors_database: TestDatabase, role: str, statement: str) -> None:
    connection = await asyncpg.connect(doors_database.url("reporting", role))  # type: ignore[arg-type]
    try:
        await connection.execute("set search_path = reporting")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_steps_record_what_no_request_caused(worker: Database, tenant: str, biller: httpx.AsyncClient) -> None:
    async with worker.transaction(tenant, actor="worker") as tx:
        await audit.record(tx, "claim.resubmitted", "claim", "clm_1", "denial_resolved", practice_id="prc_1")
    (line,) = (await biller.get("/v1/audit-events?subject_id=clm_1")).json()["data"]
    assert (line["actor"], line["action"], line["why"], line["request_id"]) == (
        "worker",
        "claim.resubmitted",
        "denial_resolved",
        None,
    )
