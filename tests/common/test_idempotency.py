"""The same POST twice has one effect and one answer."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from libs.common import idempotency
from libs.common.db import Database
from libs.common.ids import new_id
from libs.common.problems import InFlight
from tests.callers import Issuer, calling
from tests.common.conftest import Rows

VISIT = {"minutes": 50, "name": "Jo Rivera"}
KEY = {"Idempotency-Key": "0192-one-request"}


async def test_the_same_request_again_is_answered_with_the_stored_answer(biller: httpx.AsyncClient, rows: Rows) -> None:
    first = await biller.post("/v1/visits", json=VISIT, headers=KEY)
    again = await biller.post("/v1/visits", json=VISIT, headers=KEY)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(await rows.of("task")) == 1
    assert len(await rows.of("audit")) == 1


async def test_what_is_stored_of_an_answer_cannot_be_read_in_the_database(
    biller: httpx.AsyncClient, rows: Rows
) -> None:
    await biller.post("/v1/visits", json=VISIT, headers=KEY)
    (kept,) = await rows.of("idempotency")
    assert "minutes" not in str(kept["body_sealed"])


@pytest.mark.parametrize(
    ("path", "visit"),
    [("/v1/visits", {**VISIT, "minutes": 51}), ("/v1/visits/counted?newest=true", VISIT)],
)
async def test_a_key_belongs_to_one_request(biller: httpx.AsyncClient, path: str, visit: dict[str, object]) -> None:
    """The same key for another body or other parameters is a mistake; each route has keys of its own."""
    first = path.partition("?")[0]
    assert (await biller.post(first, json=VISIT, headers=KEY)).status_code == 201
    other = await biller.post(path, json=visit, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reuse")


async def test_a_key_of_one_claim_never_answers_for_another(biller: httpx.AsyncClient) -> None:
    """Two paths of one route, the same key and body."""
    first = await biller.post("/v1/visits/a/fail?how=illegal", headers=KEY)
    second = await biller.post("/v1/visits/b/fail?how=illegal", headers=KEY)
    assert (first.status_code, second.status_code) == (409, 409)
    assert "idempotency-replayed" not in second.headers


async def test_another_tenant_may_use_the_same_key(api: FastAPI, issuer: Issuer, biller: httpx.AsyncClient) -> None:
    first = await biller.post("/v1/visits", json=VISIT, headers=KEY)
    async with calling(api, issuer.token(tenant_id=new_id("tnt"))) as other:
        second = await other.post("/v1/visits", json=VISIT, headers=KEY)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


async def test_a_caller_of_fewer_practices_does_not_get_the_answer_of_another(
    api: FastAPI, issuer: Issuer, biller: httpx.AsyncClient, tenant: str
) -> None:
    await biller.post("/v1/visits", json=VISIT, headers=KEY)
    async with calling(api, issuer.token(tenant_id=tenant, practice_ids=["prc_1"])) as limited:
        assert (await limited.post("/v1/visits", json=VISIT, headers=KEY)).json()["code"] == "idempotency_key_reuse"


async def test_a_post_without_a_key_is_refused(anyone: httpx.AsyncClient, issuer: Issuer) -> None:
    token = {"Authorization": f"Bearer {issuer.token()}"}
    for headers, code in (
        (token, "idempotency_key_required"),
        ({**token, "Idempotency-Key": "short"}, "idempotency_key_invalid"),
        ({**token, "Idempotency-Key": "x" * 129}, "idempotency_key_invalid"),
    ):
        answer = await anyone.post("/v1/visits", json=VISIT, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_after_a_refusal_the_key_is_free_for_the_mended_request(biller: httpx.AsyncClient) -> None:
    refused = await biller.post("/v1/visits", json={**VISIT, "kind": "refused"}, headers=KEY)
    mended = await biller.post("/v1/visits", json=VISIT, headers=KEY)
    assert (refused.status_code, mended.status_code) == (409, 201)


async def test_while_the_first_still_runs_the_second_is_told_to_wait(worker: Database, tenant: str) -> None:
    asked = idempotency.request(
        "0192-one-request", method="POST", route="/v1/visits", target="/v1/visits?", body=b"{}", practice_ids=None
    )
    key = (asked.route, [asked.key])
    async with worker.transaction(tenant, keyed=key) as first:
        assert idempotency.answered(first, asked, first.begun[0]) is None
        async with worker.transaction(tenant, keyed=key) as second:
            with pytest.raises(InFlight) as told:
                idempotency.answered(second, asked, second.begun[0])
    assert told.value.headers["Retry-After"] == "1"


async def test_twenty_at_once_have_one_effect(biller: httpx.AsyncClient, rows: Rows) -> None:
    answers = await asyncio.gather(*(biller.post("/v1/visits", json=VISIT, headers=KEY) for _ in range(20)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in_flight"}
    assert len(await rows.of("task")) == 1
    assert (await rows.of("task"))[0]["version"] == 1


async def test_stored_answers_are_swept_after_a_week(
    biller: httpx.AsyncClient, rows: Rows, worker: Database, tenant: str
) -> None:
    await biller.post("/v1/visits", json=VISIT, headers=KEY)
    async with worker.transaction(tenant) as tx:
        idempotency.sweep(tx)
    assert len(await rows.of("idempotency")) == 1
    await rows(
        "update reporting.idempotency set created_at = created_at - interval '8 days' where tenant_id = $1", tenant
    )
    async with worker.transaction(tenant) as tx:
        idempotency.sweep(tx)
    assert await rows.of("idempotency") == []
