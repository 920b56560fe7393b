"""Requests that come at once share a transaction, and nobody can tell by his answer."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI

from libs.common.ids import new_id
from tests.callers import Issuer, calling
from tests.common.conftest import Rows

TRACE = "00-{:032x}-b7ad6b7169203331-01"


def arrival(minutes: int, kind: str = "therapy", name: str = "Oak") -> dict[str, Any]:
    return {"minutes": minutes, "name": name, "kind": kind}


async def post(client: httpx.AsyncClient, visit: Mapping[str, Any], **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/v1/arrivals", json=visit, headers=named)


async def transactions(rows: Rows) -> Counter[int]:
    """How many of the tenant's tasks each transaction has written."""
    found = await rows("select xmin::text::bigint as tx from reporting.task where tenant_id = $1", rows.tenant)
    return Counter(row["tx"] for row in found)


async def test_those_that_come_at_once_are_written_together_and_answered_apart(
    biller: httpx.AsyncClient, rows: Rows
) -> None:
    answers = await asyncio.gather(*(post(biller, arrival(n)) for n in range(1, 11)))

    assert {answer.status_code for answer in answers} == {201}
    assert [answer.json()["minutes"] for answer in answers] == list(range(1, 11))
    assert max((await transactions(rows)).values()) >= 5
    subjects = {row["id"]: row["subject_id"] for row in await rows.of("task")}
    assert [subjects[answer.json()["id"]] for answer in answers] == [f"vis_{n}" for n in range(1, 11)]


async def test_the_trail_the_trace_and_the_kept_answer_of_each_are_its_own(
    biller: httpx.AsyncClient, rows: Rows
) -> None:
    keys = [new_id("key") for _ in range(1, 9)]
    asked = [
        post(biller, arrival(n), Idempotency_Key=key, traceparent=TRACE.format(n))
        for n, key in enumerate(keys, start=1)
    ]
    answers = await asyncio.gather(*asked)
    assert max((await transactions(rows)).values()) > 1

    trail = {row["subject_id"]: row["request_id"] for row in await rows.of("audit")}
    assert trail == {answer.json()["id"]: answer.headers["x-request-id"] for answer in answers}
    told = await rows.of("outbox")
    traces = {str(row["value"]).partition('"traceparent":"')[2][3:35] for row in told}
    assert traces == {f"{n:032x}" for n in range(1, 9)}

    again = await asyncio.gather(
        *(post(biller, arrival(n), Idempotency_Key=key) for n, key in enumerate(keys, start=1))
    )
    assert [one.headers["idempotency-replayed"] for one in again] == ["true"] * 8
    assert [one.json() for one in again] == [one.json() for one in answers]
    assert len(await rows.of("task")) == 8


async def test_a_refusal_and_a_mistake_touch_no_other(biller: httpx.AsyncClient, rows: Rows) -> None:
    kinds = ["therapy", "refused", "therapy", "NOT A KIND", "therapy", "refused", "therapy", "therapy"]
    answers = await asyncio.gather(*(post(biller, arrival(n, kind)) for n, kind in enumerate(kinds, start=1)))

    expected = {"therapy": 201, "refused": 409, "NOT A KIND": 422}
    assert [answer.status_code for answer in answers] == [expected[kind] for kind in kinds]
    assert len(await rows.of("task")) == len(await rows.of("audit")) == len(await rows.of("idempotency")) == 5


async def test_a_fault_of_ours_is_the_answer_of_the_one_that_met_it(biller: httpx.AsyncClient, rows: Rows) -> None:
    kinds = ["therapy"] * 4 + ["broken"] + ["therapy"] * 4
    answers = await asyncio.gather(*(post(biller, arrival(n, kind)) for n, kind in enumerate(kinds, start=1)))

    assert [answer.status_code for answer in answers] == [201] * 4 + [500] + [201] * 4
    assert sorted(row["subject_id"] for row in await rows.of("task")) == [f"vis_{n}" for n in (1, 2, 3, 4, 6, 7, 8, 9)]


async def test_the_same_key_at_once_has_one_effect(biller: httpx.AsyncClient, rows: Rows) -> None:
    others = [post(biller, arrival(n)) for n in range(1, 5)]
    same = [post(biller, arrival(50), Idempotency_Key="0192-one-arrival") for _ in range(10)]
    answers = (await asyncio.gather(*others, *same))[4:]

    taken = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.json()["id"] for answer in taken}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in taken) == 1
    assert {answer.json()["code"] for answer in answers if answer not in taken} <= {"in_flight"}
    assert len(await rows.of("task")) == 5


async def test_who_may_see_other_things_or_names_another_shares_nothing(
    api: FastAPI, issuer: Issuer, biller: httpx.AsyncClient, tenant: str, rows: Rows
) -> None:
    narrow = issuer.token(tenant_id=tenant, practice_ids=["prc_1"])
    other = issuer.token(tenant_id=tenant, sub="usr_other")
    async with calling(api, narrow) as one, calling(api, other) as two:
        asked = [post(client, arrival(n)) for n, client in enumerate((biller, one, two) * 4, start=1)]
        asked += [post(biller, arrival(n, name="Elm")) for n in range(20, 24)]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {201}
    actors: dict[int, set[str]] = {}
    for row in await rows("select xmin::text::bigint as tx, actor from reporting.audit where tenant_id = $1", tenant):
        actors.setdefault(row["tx"], set()).add(row["actor"])
    assert all(len(found) == 1 for found in actors.values())
    assert len(actors) >= 4


async def test_a_caller_who_leaves_takes_nobody_along(biller: httpx.AsyncClient, rows: Rows) -> None:
    asked = [asyncio.create_task(post(biller, arrival(n))) for n in range(1, 10)]
    await asyncio.sleep(0)
    asked[5].cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    stayed = [answer for answer in answers if isinstance(answer, httpx.Response)]
    assert len(stayed) == 8
    assert {answer.status_code for answer in stayed} == {201}
