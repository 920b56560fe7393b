"""Lists come in pages that neither skip nor repeat, and cursors are ours."""

import base64

import httpx
import pytest
from fastapi import FastAPI

from libs.common import tasks
from libs.common.db import Database
from tests.callers import Issuer, calling

COUNT = 23


@pytest.fixture
async def many(worker: Database, tenant: str) -> list[str]:
    """Rows of which many have the same time."""
    made = []
    for group in range(4):
        async with worker.transaction(tenant) as tx:
            for n in range(group, COUNT, 4):
                made.append(
                    await tasks.open(tx, reason="visit", subject_type="visit", subject_id=f"vis_{n}", owner="billing")
                )
    return made


async def read_all(client: httpx.AsyncClient, path: str) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = (await client.get(f"{path}&cursor={cursor}" if cursor else path)).json()
        found += [one["id"] for one in page["data"]]
        cursor = page["page"]["next_cursor"]
        assert page["page"]["has_more"] == (cursor is not None)
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 5, 22, 23, 24, 200])
async def test_every_row_comes_once_in_either_order(biller: httpx.AsyncClient, many: list[str], limit: int) -> None:
    oldest_first = await read_all(biller, f"/v1/visits?limit={limit}")
    newest_first = await read_all(biller, f"/v1/visits?limit={limit}&newest=true")
    assert sorted(oldest_first) == sorted(many)
    assert newest_first == oldest_first[::-1]


async def test_rows_added_behind_the_cursor_come_and_none_comes_twice(
    biller: httpx.AsyncClient, many: list[str], worker: Database, tenant: str
) -> None:
    first = (await biller.get("/v1/visits?limit=20")).json()
    async with worker.transaction(tenant) as tx:
        new = await tasks.open(tx, reason="visit", subject_type="visit", subject_id="vis_new", owner="billing")
    rest = (await biller.get("/v1/visits", params={"limit": 20, "cursor": first["page"]["next_cursor"]})).json()
    ids = [one["id"] for one in first["data"] + rest["data"]]
    assert len(ids) == len(set(ids)) == COUNT + 1
    assert ids[-1] == new


async def test_a_cursor_is_refused_in_another_list_order_or_tenant(
    api: FastAPI, issuer: Issuer, biller: httpx.AsyncClient, many: list[str]
) -> None:
    cursor = (await biller.get("/v1/visits?limit=2")).json()["page"]["next_cursor"]
    async with calling(api, issuer.token(tenant_id="tnt_other")) as other:
        for client, path in (
            (biller, "/v1/visits?newest=true&cursor="),
            (biller, "/v1/audit-events?cursor="),
            (other, "/v1/visits?cursor="),
        ):
            answer = await client.get(path + cursor)
            assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", base64.urlsafe_b64encode(b"0" * 16 + b'["x","y"]').decode()])
async def test_a_cursor_of_somebody_elses_making_is_refused(biller: httpx.AsyncClient, cursor: str) -> None:
    answer = await biller.get("/v1/visits", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")
    assert answer.json()["errors"][0]["in"] == "query"
