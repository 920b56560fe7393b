"""A request passes the doors whole or not at all."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from libs.common import tasks
from libs.common.db import Database
from libs.common.http import create_api
from libs.common.ids import new_id
from tests.callers import Issuer, calling
from tests.common import door_service
from tests.common.conftest import Rows
from tests.conftest import TestDatabase

VISIT = {"minutes": 50, "name": "Jo Rivera"}


async def test_a_visit_is_written_told_recorded_and_answered(biller: httpx.AsyncClient, rows: Rows) -> None:
    answer = await biller.post("/v1/visits", json=VISIT, headers={"X-Purpose-Of-Use": "PAYMENT"})

    assert answer.status_code == 201
    task_id = answer.json()["id"]
    assert answer.headers["location"] == f"/v1/visits/{task_id}"
    assert [row["topic"] for row in await rows.of("outbox")] == ["task.changed"]
    (line,) = await rows.of("audit")
    assert (line["actor"], line["action"], line["subject_type"], line["subject_id"], line["why"]) == (
        "usr_biller",
        "reporting.create_visit",
        "visit",
        task_id,
        "PAYMENT",
    )
    assert line["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("kind", ["refused", "unsaid", "broken"])
async def test_a_refused_or_failed_request_leaves_nothing_behind(
    biller: httpx.AsyncClient, rows: Rows, kind: str
) -> None:
    answer = await biller.post("/v1/visits", json={**VISIT, "kind": kind})

    assert answer.status_code == (500 if kind == "broken" else 409)
    for table in ("task", "outbox", "audit", "idempotency"):
        assert await rows.of(table) == [], table


async def test_the_commit_comes_before_the_answer(fresh_database: TestDatabase, issuer: Issuer) -> None:
    """A commit that fails is never a 201: here the database refuses at the commit, by a deferred constraint."""
    connection = await asyncpg.connect(fresh_database.admin_url)
    await connection.execute(
        """
        create function reporting.no() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
        create constraint trigger no after insert on reporting.task deferrable initially deferred
            for each row execute function reporting.no();
        """
    )
    app = create_api(door_service.create_service(), fresh_database.settings("reporting"))
    async with app.router.lifespan_context(app), calling(app, issuer.token()) as biller:
        answer = await biller.post("/v1/visits", json=VISIT)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert await connection.fetch("select 1 from reporting.task") == []
    await connection.close()


async def test_views_of_patient_data_are_recorded_for_each_one_shown(biller: httpx.AsyncClient, rows: Rows) -> None:
    made = [(await biller.post("/v1/visits", json={**VISIT, "minutes": n})).json()["id"] for n in (40, 50)]

    await biller.get("/v1/visits")
    await biller.get(f"/v1/visits/{made[0]}")

    seen = [row for row in await rows.of("audit") if "create" not in row["action"]]
    assert [(row["action"], row["subject_id"]) for row in seen] == [
        ("reporting.list_visits", made[0]),
        ("reporting.list_visits", made[1]),
        ("reporting.read_visit", made[0]),
    ]


async def test_a_long_list_names_each_one_that_it_shows_too(
    biller: httpx.AsyncClient, worker: Database, tenant: str, rows: Rows
) -> None:
    async with worker.transaction(tenant) as tx:
        for number in range(80):
            subject = f"vis_{number}"
            await tasks.open(
                tx, reason="visit", subject_type="visit", subject_id=subject, owner="billing", detail="x" * 4_000
            )
    shown = await biller.get("/v1/visits", params={"limit": 80})
    assert len(shown.content) > 256 * 1024
    seen = {row["subject_id"] for row in await rows.of("audit")}
    assert seen == {one["id"] for one in shown.json()["data"]}


async def test_a_view_of_nothing_is_refused_and_not_recorded(biller: httpx.AsyncClient, rows: Rows) -> None:
    assert (await biller.get("/v1/visits/tsk_none")).status_code == 404
    assert await rows.of("audit") == []


async def test_another_tenant_finds_nothing_not_even_a_refusal(
    api: FastAPI, issuer: Issuer, biller: httpx.AsyncClient
) -> None:
    made = (await biller.post("/v1/visits", json=VISIT)).json()["id"]

    async with calling(api, issuer.token(tenant_id=new_id("tnt"))) as other:
        assert (await other.get(f"/v1/visits/{made}")).json()["code"] == "not_found"
        assert (await other.get("/v1/visits")).json()["data"] == []


async def test_a_caller_may_narrow_a_request_to_one_practice_and_to_none_of_others(
    api: FastAPI, issuer: Issuer
) -> None:
    async with calling(api, issuer.token(practice_ids=["prc_1", "prc_2"])) as caller:
        assert (await caller.get("/v1/visits", headers={"X-Practice-Id": "prc_1"})).status_code == 200
        assert (await caller.get("/v1/visits", headers={"X-Practice-Id": "prc_9"})).status_code == 404


async def test_the_purpose_of_use_is_a_word(biller: httpx.AsyncClient) -> None:
    answer = await biller.post("/v1/visits", json=VISIT, headers={"X-Purpose-Of-Use": "because Jo Rivera said so"})
    assert answer.status_code == 422
    assert "Jo" not in answer.text


async def test_a_route_for_anyone_asks_for_neither_token_nor_key(anyone: httpx.AsyncClient) -> None:
    assert (await anyone.post("/bench/echo", json=VISIT)).json()["minutes"] == 50


async def test_a_filter_that_a_route_does_not_have_is_refused_and_not_left_out(
    biller: httpx.AsyncClient, rows: Rows
) -> None:
    await biller.post("/v1/visits", json=VISIT)
    answer = await biller.get("/v1/visits?newest=true&kind=therapy&Jo%20Rivera=1")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    words = "There is no such parameter; there are: cursor, limit, newest."
    assert [(one["pointer"], one["in"], one["code"], one["message"]) for one in answer.json()["errors"]] == [
        ("/kind", "query", "unknown_parameter", words),
        ("/*", "query", "unknown_parameter", words),
    ]
    assert "Rivera" not in answer.text
    for path, method in (("/v1/visits", "POST"), ("/bench/echo", "POST"), ("/v1/visits/vis_1", "GET")):
        refused = await biller.request(method, f"{path}?dry_run=true", json=VISIT if method == "POST" else None)
        assert "there are: none." in refused.json()["errors"][0]["message"], path
    assert len(await rows.of("task")) == 1


async def test_a_route_takes_what_it_says_and_not_more(biller: httpx.AsyncClient) -> None:
    x12 = {"Content-Type": "application/edi-x12"}
    assert (await biller.post("/v1/visits/835", content=b"ISA*00*", headers=x12)).json() == {"bytes": 7}
    assert (await biller.post("/v1/visits/835", content=b"I" * 2049, headers=x12)).status_code == 413
    assert (
        await biller.post("/v1/visits/835", content=b"{}", headers={"Content-Type": "image/png"})
    ).status_code == 415
