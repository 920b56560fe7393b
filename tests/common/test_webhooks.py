"""What an EHR posts is kept before it is read, has its effect once, and when it cannot be read a person knows why."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from libs.common import signatures
from tests.callers import Issuer, calling
from tests.common.conftest import Rows

Map = Callable[[], Awaitable[None]]
VISIT = b'{"minutes": 50, "name": "Jo Rivera"}'


class Ehr:
    """A sender that signs with its secret."""

    def __init__(self, client: httpx.AsyncClient, source: dict[str, Any]) -> None:
        self.client = client
        self.id: str = source["id"]
        self.url: str = source["url"]
        self.secret: str = source["secret"]

    async def post(self, body: bytes, webhook_id: str = "msg_1", *, at: int | None = None) -> httpx.Response:
        timestamp = int(time.time()) if at is None else at
        headers = {
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures.sign(self.secret, webhook_id, timestamp, body),
        }
        return await self.client.post(self.url, content=body, headers=headers)


@pytest.fixture
async def ehr(biller: httpx.AsyncClient, anyone: httpx.AsyncClient) -> Ehr:
    answer = await biller.post("/v1/webhook-sources", json={"kind": "ehr", "name": "Acme EHR"})
    assert answer.status_code == 201
    return Ehr(anyone, answer.json())


async def test_a_signed_message_is_taken_kept_sealed_and_mapped(
    ehr: Ehr, biller: httpx.AsyncClient, rows: Rows, map_inbound: Map
) -> None:
    taken = await ehr.post(VISIT)
    assert (taken.status_code, taken.json()["status"]) == (202, "received")
    (kept,) = await rows.of("inbound_message")
    assert "Rivera" not in kept["body_sealed"]
    assert await rows.of("task") == []

    await map_inbound()
    assert [row["subject_id"] for row in await rows.of("task")] == ["vis_50"]
    shown = (await biller.get(f"/v1/inbound-messages/{taken.json()['id']}")).json()
    assert (shown["status"], shown["attempts"], shown["webhook_id"]) == ("processed", 1, "msg_1")
    assert await rows.of("timer") == []


async def test_the_trail_says_which_source_wrote_what_by_which_message(
    ehr: Ehr, biller: httpx.AsyncClient, map_inbound: Map
) -> None:
    taken = await ehr.post(VISIT)
    await map_inbound()
    (line,) = (await biller.get("/v1/audit-events?subject_id=vis_50")).json()["data"]
    assert (line["actor"], line["action"], line["subject_type"], line["request_id"]) == (
        ehr.id,
        "reporting.map_webhook",
        "visit",
        taken.json()["id"],
    )


async def test_the_trace_of_the_post_goes_on_in_what_it_causes(ehr: Ehr, rows: Rows, map_inbound: Map) -> None:
    taken = await ehr.post(VISIT)
    await map_inbound()
    (event,) = [orjson.loads(row["value"]) for row in await rows.of("outbox")]
    assert event["traceparent"].split("-")[1] == taken.headers["traceparent"].split("-")[1]
    assert event["correlationid"] == taken.json()["id"]


async def test_the_same_message_again_is_taken_again_and_changes_nothing(
    ehr: Ehr, rows: Rows, map_inbound: Map
) -> None:
    first = await ehr.post(VISIT)
    await map_inbound()
    again = await ehr.post(VISIT)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert await rows.of("timer") == []
    assert len(await rows.of("inbound_message")) == 1


async def test_what_is_not_signed_by_the_source_is_not_kept(ehr: Ehr, rows: Rows) -> None:
    good, ehr.secret = ehr.secret, signatures.new_secret()
    assert (await ehr.post(VISIT)).status_code == 401
    ehr.secret = good
    assert (await ehr.post(VISIT, at=int(time.time()) - 400)).status_code == 401
    unsigned = await ehr.client.post(ehr.url, content=VISIT, headers={"Content-Type": "application/json"})
    assert (unsigned.status_code, unsigned.json()["code"]) == (400, "signature_missing")
    assert await rows.of("inbound_message") == []


async def test_an_unknown_source_is_not_there(ehr: Ehr) -> None:
    ehr.url = "/v1/inbound/src_nobody"
    assert (await ehr.post(VISIT)).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b"refuse", "/minutes", "too_long"),
        (b'{"minutes": 900, "name": "Jo Rivera"}', "/minutes", "less_than_equal"),
        (b"{half", "", "json_invalid"),
    ],
)
async def test_a_message_that_cannot_be_mapped_fails_with_its_reasons_and_a_task(
    ehr: Ehr, biller: httpx.AsyncClient, rows: Rows, map_inbound: Map, body: bytes, pointer: str, code: str
) -> None:
    taken = (await ehr.post(body)).json()["id"]
    await map_inbound()

    (failed,) = (await biller.get("/v1/inbound-messages?status=failed")).json()["data"]
    assert failed["id"] == taken
    assert [(error["pointer"], error["code"]) for error in failed["errors"]] == [(pointer, code)]
    assert "Rivera" not in str(failed)
    (task,) = await rows.of("task")
    assert (task["reason"], task["subject_id"], task["owner"]) == ("inbound_message_failed", taken, "operations")
    assert await rows.of("timer") == []


async def test_a_mapper_that_breaks_is_tried_three_times_and_then_failed(
    ehr: Ehr, biller: httpx.AsyncClient, rows: Rows, map_inbound: Map
) -> None:
    taken = (await ehr.post(b"explode")).json()["id"]
    for _ in range(2):
        await map_inbound()
        assert len(await rows.of("timer")) == 1
    await map_inbound()
    failed = (await biller.get(f"/v1/inbound-messages/{taken}")).json()
    assert failed["status"] == "failed"
    assert failed["errors"][0]["code"] == "mapper_failed"
    assert "Rivera" not in str(failed)


async def test_after_the_fix_a_failed_message_is_replayed_and_its_task_closed(
    ehr: Ehr, biller: httpx.AsyncClient, rows: Rows, map_inbound: Map, doors_database: Any
) -> None:
    taken = (await ehr.post(b"refuse")).json()["id"]
    await map_inbound()
    mended = doors_database.keyring.seal(rows.tenant, VISIT, f"inbound/{ehr.id}")
    await rows("update reporting.inbound_message set body_sealed = $1 where id = $2", mended, taken)

    again = await biller.post(f"/v1/inbound-messages/{taken}/replay")
    assert (again.status_code, again.json()["status"]) == (202, "received")
    await map_inbound()

    assert (await biller.get(f"/v1/inbound-messages/{taken}")).json()["status"] == "processed"
    assert {row["reason"]: row["status"] for row in await rows.of("task")} == {
        "inbound_message_failed": "done",
        "visit": "open",
    }
    refused = await biller.post(f"/v1/inbound-messages/{taken}/replay")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_failed")


async def test_a_source_of_one_practice_maps_for_that_practice_only(
    biller: httpx.AsyncClient, anyone: httpx.AsyncClient, rows: Rows, map_inbound: Map
) -> None:
    body = {"kind": "ehr", "name": "Acme EHR", "practice_id": "prc_1"}
    ehr = Ehr(anyone, (await biller.post("/v1/webhook-sources", json=body)).json())
    await ehr.post(VISIT)
    await map_inbound()
    assert [row["practice_id"] for row in await rows.of("task")] == ["prc_1"]


async def test_while_a_secret_rotates_both_hold_and_after_the_next_only_the_newer(
    ehr: Ehr, biller: httpx.AsyncClient
) -> None:
    first = ehr.secret
    rotated = (await biller.post(f"/v1/webhook-sources/{ehr.id}/rotate-secret")).json()
    assert rotated["secrets"] == 2
    assert (await ehr.post(VISIT, "msg_old")).status_code == 202
    ehr.secret = rotated["secret"]
    assert (await ehr.post(VISIT, "msg_new")).status_code == 202
    await biller.post(f"/v1/webhook-sources/{ehr.id}/rotate-secret")
    assert (await ehr.post(VISIT, "msg_newer")).status_code == 202
    ehr.secret = first
    assert (await ehr.post(VISIT, "msg_gone")).status_code == 401


async def test_a_secret_is_shown_once(ehr: Ehr, biller: httpx.AsyncClient, rows: Rows) -> None:
    assert ehr.secret not in (await biller.get(f"/v1/webhook-sources/{ehr.id}")).text
    assert ehr.secret not in (await biller.get("/v1/webhook-sources")).text
    assert ehr.secret not in str(await rows.of("inbound_source"))


async def test_a_source_can_be_switched_off_and_on(ehr: Ehr, biller: httpx.AsyncClient) -> None:
    path = f"/v1/webhook-sources/{ehr.id}"
    tag = (await biller.get(path)).headers["etag"]
    off = await biller.patch(path, json={"status": "disabled"}, headers={"If-Match": tag})
    assert (off.status_code, off.json()["status"]) == (200, "disabled")
    assert (await ehr.post(VISIT)).json()["code"] == "source_disabled"
    stale = await biller.patch(path, json={"status": "active"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    await biller.patch(path, json={"status": "active"}, headers={"If-Match": off.headers["etag"]})
    assert (await ehr.post(VISIT)).status_code == 202


async def test_a_source_is_of_a_kind_that_this_service_maps(biller: httpx.AsyncClient) -> None:
    answer = await biller.post("/v1/webhook-sources", json={"kind": "fax", "name": "Fax"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/kind")


async def test_a_caller_of_one_practice_makes_sources_of_that_practice_only(
    api: FastAPI, issuer: Issuer, tenant: str
) -> None:
    async with calling(api, issuer.token(tenant_id=tenant, practice_ids=["prc_1"])) as caller:
        for practice, status in (("prc_1", 201), ("prc_2", 403), (None, 403)):
            body = {"kind": "ehr", "name": "Acme EHR", "practice_id": practice}
            assert (await caller.post("/v1/webhook-sources", json=body)).status_code == status


async def test_another_tenant_sees_neither_sources_nor_messages(ehr: Ehr, api: FastAPI, issuer: Issuer) -> None:
    taken = (await ehr.post(VISIT)).json()["id"]
    async with calling(api, issuer.token(tenant_id="tnt_other")) as other:
        for path in (f"/v1/webhook-sources/{ehr.id}", f"/v1/inbound-messages/{taken}"):
            assert (await other.get(path)).status_code == 404
        assert (await other.post(f"/v1/inbound-messages/{taken}/replay")).status_code == 404
        assert (await other.post(f"/v1/webhook-sources/{ehr.id}/rotate-secret")).status_code == 404


async def test_a_source_that_may_touch_every_practice_is_nobodys_who_may_see_one(
    ehr: Ehr, api: FastAPI, issuer: Issuer, tenant: str
) -> None:
    async with calling(api, issuer.token(tenant_id=tenant, practice_ids=["prc_1"])) as theirs:
        path = f"/v1/webhook-sources/{ehr.id}"
        assert (await theirs.get("/v1/webhook-sources")).json()["data"] == []
        assert (await theirs.get(path)).status_code == 404
        assert (await theirs.post(f"{path}/rotate-secret", json={})).status_code == 404
        switched = await theirs.patch(path, json={"status": "disabled"}, headers={"If-Match": "*"})
        assert switched.status_code == 404
        own = {"kind": "ehr", "name": "Ours", "practice_id": "prc_1"}
        made = (await theirs.post("/v1/webhook-sources", json=own)).json()
        assert (await theirs.post(f"/v1/webhook-sources/{made['id']}/rotate-secret", json={})).status_code == 200


async def test_what_a_source_of_every_practice_has_sent_is_nobodys_who_may_see_one(
    ehr: Ehr, api: FastAPI, issuer: Issuer, tenant: str, biller: httpx.AsyncClient, map_inbound: Map
) -> None:
    taken = (await ehr.post(b"refuse")).json()["id"]
    await map_inbound()
    async with calling(api, issuer.token(tenant_id=tenant, practice_ids=["prc_1"])) as theirs:
        assert (await theirs.get("/v1/inbound-messages")).json()["data"] == []
        assert (await theirs.get(f"/v1/inbound-messages/{taken}")).status_code == 404
        assert (await theirs.post(f"/v1/inbound-messages/{taken}/replay")).status_code == 404
    assert (await biller.get(f"/v1/inbound-messages/{taken}")).json()["status"] == "failed"
