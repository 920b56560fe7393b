"""What waits for a person is one task, told to everybody, with an owner and a date."""

from datetime import UTC, date, datetime

import httpx
import orjson
import pytest
from fastapi import FastAPI

from libs.common import tasks
from libs.common.db import Database
from tests.callers import Issuer, calling
from tests.common.conftest import Rows

CLAIM = "clm_01"


async def open_one(worker: Database, tenant: str, **changes: object) -> str:
    given: dict[str, object] = {
        "reason": "authorization_exhausted",
        "subject_type": "claim",
        "subject_id": CLAIM,
        "owner": "billing",
        "due_on": date(2026, 10, 9),
        "amount_cents": 17_500,
        "detail": "ath_7 has no units left",
        **changes,
    }
    async with worker.transaction(tenant) as tx:
        return await tasks.open(tx, **given)  # type: ignore[arg-type]


async def told(rows: Rows) -> list[tuple[str, int, str]]:
    """(task, sequence, status) of each event, in the order of the outbox."""
    events = [orjson.loads(row["value"]) for row in await rows.of("outbox")]
    return [(e["subject"], int(e["sequence"]), e["data"]["status"]) for e in events if e["type"] == "task.changed.v1"]


async def test_a_task_is_opened_and_told(worker: Database, tenant: str, rows: Rows) -> None:
    task_id = await open_one(worker, tenant)
    (row,) = await rows.of("task")
    assert (row["id"], row["status"], row["owner"], row["due_on"]) == (task_id, "open", "billing", date(2026, 10, 9))
    assert await told(rows) == [(task_id, 1, "open")]


async def test_the_same_again_is_the_same_task_and_is_not_told_twice(worker: Database, tenant: str, rows: Rows) -> None:
    first = await open_one(worker, tenant)
    assert await open_one(worker, tenant) == first
    assert await told(rows) == [(first, 1, "open")]


async def test_news_about_it_are_told_and_leave_owner_and_date_to_people(
    worker: Database, tenant: str, rows: Rows
) -> None:
    first = await open_one(worker, tenant)
    await open_one(worker, tenant, amount_cents=9_000, owner="payments", due_on=None)
    (row,) = await rows.of("task")
    assert (row["amount_cents"], row["owner"], row["due_on"]) == (9_000, "billing", date(2026, 10, 9))
    assert await told(rows) == [(first, 1, "open"), (first, 2, "open")]


async def test_closing_ends_all_tasks_of_a_subject_or_those_of_one_reason(
    worker: Database, tenant: str, rows: Rows
) -> None:
    first = await open_one(worker, tenant)
    second = await open_one(worker, tenant, reason="missing_modifier")
    async with worker.transaction(tenant) as tx:
        assert await tasks.close(tx, subject_id=CLAIM, reason="missing_modifier", outcome="corrected") == 1
        assert await tasks.close(tx, subject_id=CLAIM) == 1
        assert await tasks.close(tx, subject_id=CLAIM) == 0
    outcomes = {row["id"]: (row["status"], row["outcome"]) for row in await rows.of("task")}
    assert outcomes == {first: ("done", "done"), second: ("done", "corrected")}
    assert (await told(rows))[2:] == [(second, 2, "done"), (first, 2, "done")]


async def test_what_was_done_may_come_up_again_as_a_new_task(worker: Database, tenant: str) -> None:
    first = await open_one(worker, tenant)
    async with worker.transaction(tenant) as tx:
        await tasks.close(tx, subject_id=CLAIM)
    assert await open_one(worker, tenant) != first


async def test_the_work_list_can_be_narrowed(worker: Database, tenant: str, biller: httpx.AsyncClient) -> None:
    late = await open_one(worker, tenant, due_on=date(2026, 10, 1), practice_id="prc_1")
    await open_one(worker, tenant, subject_id="clm_02", owner="credentialing", practice_id="prc_2")
    for query in ("due_by=2026-10-05", "owner=billing", "practice_id=prc_1", f"subject_id={CLAIM}"):
        assert [one["id"] for one in (await biller.get(f"/v1/tasks?{query}")).json()["data"]] == [late], query
    assert len((await biller.get("/v1/tasks?reason=authorization_exhausted")).json()["data"]) == 2
    assert (await biller.get("/v1/tasks?status=done")).json()["data"] == []


async def test_a_person_takes_a_task_and_ends_it(
    worker: Database, tenant: str, biller: httpx.AsyncClient, rows: Rows
) -> None:
    task_id = await open_one(worker, tenant)
    path = f"/v1/tasks/{task_id}"
    tag = (await biller.get(path)).headers["etag"]

    taken = await biller.patch(path, json={"owner": "usr_kim", "due_on": "2026-10-12"}, headers={"If-Match": tag})
    assert (taken.status_code, taken.json()["owner"], taken.json()["due_on"]) == (200, "usr_kim", "2026-10-12")

    stale = await biller.patch(path, json={"status": "done"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")

    done = await biller.patch(
        path, json={"status": "done", "outcome": "called_the_payer"}, headers={"If-Match": taken.headers["etag"]}
    )
    assert (done.json()["status"], done.json()["outcome"]) == ("done", "called_the_payer")
    again = await biller.patch(path, json={"owner": "billing"}, headers={"If-Match": done.headers["etag"]})
    assert (again.status_code, again.json()["code"]) == (409, "task_done")
    assert [sequence for _, sequence, _ in await told(rows)] == [1, 2, 3]


@pytest.mark.parametrize(
    "patch",
    [{}, {"owner": None}, {"status": None}, {"outcome": "x"}, {"status": "open"}, {"detail": "x"}, {"owner": ""}],
)
async def test_a_patch_that_says_nothing_or_too_much_is_refused(
    worker: Database, tenant: str, biller: httpx.AsyncClient, patch: dict[str, object]
) -> None:
    task_id = await open_one(worker, tenant)
    answer = await biller.patch(f"/v1/tasks/{task_id}", json=patch, headers={"If-Match": "*"})
    assert answer.status_code == 422


async def test_a_date_can_be_taken_away(worker: Database, tenant: str, biller: httpx.AsyncClient) -> None:
    task_id = await open_one(worker, tenant)
    answer = await biller.patch(f"/v1/tasks/{task_id}", json={"due_on": None}, headers={"If-Match": '"1"'})
    assert answer.json()["due_on"] is None


async def test_a_caller_of_one_practice_sees_its_tasks_only(
    worker: Database, tenant: str, api: FastAPI, issuer: Issuer
) -> None:
    mine = await open_one(worker, tenant, practice_id="prc_1")
    other = await open_one(worker, tenant, practice_id="prc_2", subject_id="clm_02")
    async with calling(api, issuer.token(tenant_id=tenant, practice_ids=["prc_1"])) as caller:
        assert [one["id"] for one in (await caller.get("/v1/tasks")).json()["data"]] == [mine]
        assert (await caller.get(f"/v1/tasks/{other}")).status_code == 404
        patched = await caller.patch(f"/v1/tasks/{other}", json={"owner": "x"}, headers={"If-Match": "*"})
        assert patched.status_code == 404


async def test_the_time_of_a_task_is_business_time(worker: Database, tenant: str, rows: Rows) -> None:
    stands = datetime(2026, 10, 5, 15, tzinfo=UTC)
    await rows("update platform.clock set stands_at = $1", stands)
    try:
        await open_one(worker, tenant)
    finally:
        await rows("update platform.clock set stands_at = null")
    (row,) = await rows.of("task")
    assert row["created_at"] == stands


async def test_a_task_of_no_practice_is_everybodys_to_see_and_no_one_practices_to_change(
    worker: Database, tenant: str, api: FastAPI, issuer: Issuer
) -> None:
    path = f"/v1/tasks/{await open_one(worker, tenant)}"
    async with calling(api, issuer.token(tenant_id=tenant, practice_ids=["prc_1"])) as caller:
        assert (await caller.get(path)).status_code == 200
        for refused in (
            await caller.patch(path, json={"owner": "x"}, headers={"If-Match": "*"}),
            await caller.post(f"{path}/notes", json={"text": "ours"}),
        ):
            assert (refused.status_code, refused.json()["code"]) == (403, "practice_forbidden")
    narrowed = {"X-Practice-Id": "prc_1", "If-Match": "*"}
    async with calling(api, issuer.token(tenant_id=tenant)) as caller:
        assert (await caller.patch(path, json={"owner": "x"}, headers=narrowed)).status_code == 403
        assert (await caller.patch(path, json={"owner": "x"}, headers={"If-Match": "*"})).status_code == 200
