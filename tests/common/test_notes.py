"""What people write down about a task stays as they wrote it, and is read by who may and nobody else."""

import httpx
import pytest
from fastapi import FastAPI

from libs.common.db import Database
from libs.common.ids import new_id
from tests.callers import Issuer, calling
from tests.common.conftest import Rows
from tests.common.test_tasks import open_one

SAID = {"text": "Jo Rivera's plan asks for the notes of 5 October; reference 4711."}


async def test_notes_are_written_by_whom_and_when_and_read_in_order(
    biller: httpx.AsyncClient, worker: Database, tenant: str, rows: Rows
) -> None:
    task_id = await open_one(worker, tenant)
    before = len(await rows.of("outbox"))
    first = await biller.post(f"/v1/tasks/{task_id}/notes", json=SAID)
    assert (first.status_code, first.json()["author"], first.json()["task_id"]) == (201, "usr_biller", task_id)
    await biller.patch(f"/v1/tasks/{task_id}", json={"status": "done"}, headers={"If-Match": "*"})
    await biller.post(f"/v1/tasks/{task_id}/notes", json={"text": " They sent it after all. "})

    page = (await biller.get(f"/v1/tasks/{task_id}/notes?limit=1")).json()
    rest = (await biller.get(f"/v1/tasks/{task_id}/notes?cursor={page['page']['next_cursor']}")).json()
    assert [one["text"] for one in page["data"] + rest["data"]] == [SAID["text"], "They sent it after all."]
    assert len(await rows.of("outbox")) == before + 1, "the end of the task is told, and no note"


async def test_a_note_is_sealed_where_it_lies_and_whoever_reads_it_is_in_the_trail(
    biller: httpx.AsyncClient, worker: Database, tenant: str, rows: Rows
) -> None:
    task_id = await open_one(worker, tenant)
    await biller.post(f"/v1/tasks/{task_id}/notes", json=SAID)
    await biller.get(f"/v1/tasks/{task_id}/notes")
    everything = [
        row for table in ("task_note", "task", "outbox", "audit", "idempotency") for row in await rows.of(table)
    ]
    assert "Rivera" not in str(everything)
    trail = [(one["actor"], one["action"], one["subject_id"]) for one in await rows.of("audit")]
    assert trail == [
        ("usr_biller", "reporting.write_task_note", task_id),
        ("usr_biller", "reporting.list_task_notes", task_id),
    ]


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
async def test_a_note_says_something_and_not_too_much(
    biller: httpx.AsyncClient, worker: Database, tenant: str, text: str
) -> None:
    task_id = await open_one(worker, tenant)
    assert (await biller.post(f"/v1/tasks/{task_id}/notes", json={"text": text})).status_code == 422


async def test_nobody_else_reads_or_writes_notes_on_a_task(
    api: FastAPI, issuer: Issuer, biller: httpx.AsyncClient, worker: Database, tenant: str
) -> None:
    task_id = await open_one(worker, tenant, practice_id="prc_1")
    assert (await biller.post(f"/v1/tasks/{task_id}/notes", json=SAID)).status_code == 201
    for token in (issuer.token(practice_ids=["prc_2"]), issuer.token(tenant_id=new_id("tnt"))):
        async with calling(api, token) as other:
            assert (await other.get(f"/v1/tasks/{task_id}/notes")).status_code == 404
            assert (await other.post(f"/v1/tasks/{task_id}/notes", json=SAID)).status_code == 404
