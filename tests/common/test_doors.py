"""A request passes the doors whole or not at all."""

import httpx
import pytest
from fastapi import FastAPI

from tests.callers import Issuer, calling
from tests.common.conftest import Rows

VISIT = {"minutes": 50, "name": "Jo Rivera"}


async def test_a_visit_is_written_told_recorded_and_answered(biller: httpx.AsyncClient, rows: Rows) -> None:
    answer = await biller.post("/v1/visits", json=VISIT, headers={"X-Purpose-Of-Use": "PAYMENT"})

    assert answer.status_code == 201
    task_id = answer.json()["id"]
    assert answer.headers["location"] == f"/v1/visits/{task_id}"
    assert [row["topic"] for row in await rows("select topic from reporting.outbox")] == ["task.changed"]
    (line,) = await rows("select * from reporting.audit")
    assert (line["actor"], line["action"], line["subject_type"], line["subject_id"], line["why"]) == (
        "usr_biller",
        "reporting.create_visit",
        "visit",
        task_id,
        "PAYMENT",
    )
    assert line["request_id"] == answer.headers["x-request-id"]
