"""Events reach the endpoints that want them, signed, until they are taken; a slow one delays nobody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest

from libs.common import signatures
from libs.common.events import TaskChanged, read
from libs.common.timers import Runner, Work
from services.reporting import deliver
from services.reporting.app import create_service
from services.reporting.events import on_event
from tests.calls import NOON, Api, open_api
from tests.conftest import TestDatabase
from tests.reporting.ledgers import a_task, record


@dataclass(slots=True)
class Receiver:
    """An EHR's endpoint: what it got, and how it answers."""

    answer: Callable[[httpx.Request], httpx.Response]
    got: list[httpx.Request] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.got.append(request)
        return self.answer(request)


@asynccontextmanager
async def reporting(database: TestDatabase, home: Path, receiver: Receiver) -> AsyncIterator[Api]:
    transport = httpx.MockTransport(receiver)
    local = {"PARITY_MODE": "local"}
    async with open_api(create_service(), database, home, outside=transport, environment=local) as api:
        yield api


@asynccontextmanager
async def work_being_done(api: Api) -> AsyncIterator[None]:
    """A worker does what is due, until the block ends."""
    stopping = asyncio.Event()
    assert api.worker.keyring is not None
    work = Work(db=api.worker, http=api.outside, keyring=api.worker.keyring, settings=api.settings)
    running = asyncio.create_task(Runner([deliver.TIMER], work).run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await running


async def heard(api: Api, number: int) -> None:
    raw = record(a_task(number, "open"), 1, tenant=api.tenant)
    async with api.worker.transaction(api.tenant) as tx:
        await on_event(tx, read(raw, TaskChanged))


async def an_endpoint(api: Api, *types: str, url: str = "http://127.0.0.1:9/hook") -> tuple[str, str]:
    made = await api.post("/v1/webhook-endpoints", {"url": url, "event_types": list(types) or ["*"]})
    return made["id"], made["secret"]


async def test_an_event_arrives_signed_and_without_its_sealed_part(
    fresh_database: TestDatabase, tmp_path: Path
) -> None:
    receiver = Receiver(lambda _: httpx.Response(204))
    async with reporting(fresh_database, tmp_path, receiver) as api:
        endpoint, secret = await an_endpoint(api, "task.*")
        await heard(api, 1)
        await api.run_due()
        (request,) = receiver.got
        signatures.verify(
            [secret],
            webhook_id=request.headers["webhook-id"],
            timestamp=request.headers["webhook-timestamp"],
            signatures=request.headers["webhook-signature"],
            body=request.content,
        )
        body = orjson.loads(request.content)
        assert (body["type"], body["subject"], "sealed" in body) == ("task.changed.v1", "tsk_1", False)
        assert request.headers["webhook-id"] == body["id"]
        (pulled,) = (await api.get("/v1/events?types=task.*"))["data"]
        assert body == pulled, "pushed or pulled, it is the same"
        (delivery,) = (await api.get(f"/v1/webhook-endpoints/{endpoint}/deliveries"))["data"]
        assert (delivery["status"], delivery["attempts"], delivery["last_status"]) == ("delivered", 1, 204)


async def test_only_the_types_and_the_practice_asked_for_are_sent(fresh_database: TestDatabase, tmp_path: Path) -> None:
    receiver = Receiver(lambda _: httpx.Response(200))
    async with reporting(fresh_database, tmp_path, receiver) as api:
        await an_endpoint(api, "claim.*")
        other = {"url": "http://127.0.0.1:9/", "event_types": ["*"], "practice_id": "prc_2"}
        await api.post("/v1/webhook-endpoints", other)
        await heard(api, 1)
        await api.run_due()
        assert receiver.got == []


async def test_a_failing_endpoint_is_tried_for_three_days_then_the_delivery_has_failed(
    fresh_database: TestDatabase, tmp_path: Path
) -> None:
    receiver = Receiver(lambda _: httpx.Response(500))
    async with reporting(fresh_database, tmp_path, receiver) as api:
        endpoint, _ = await an_endpoint(api)
        await heard(api, 1)
        clock = NOON
        while clock < NOON + timedelta(days=4):
            await api.run_due()
            clock += timedelta(hours=1)
            await api.set_clock(clock)
        found = await api.get(f"/v1/webhook-endpoints/{endpoint}/deliveries?status=failed")
        failed = [d for d in found["data"] if d["type"] == "task.changed.v1" and d["attempts"] == 10]
        assert failed
        assert len({r.headers["webhook-attempt"] for r in receiver.got}) >= 10
        tries = await api.get(f"/v1/webhook-endpoints/{endpoint}/deliveries/{failed[0]['id']}/attempts")
        assert [(one["number"], one["status"], one["error"]) for one in tries["data"]] == [
            (number, 500, None) for number in range(1, 11)
        ]
        assert "webhook_failing" in {t["reason"] for t in await api.tasks()}


async def test_an_endpoint_that_fails_for_five_days_is_switched_off_and_its_owner_told(
    fresh_database: TestDatabase, tmp_path: Path
) -> None:
    receiver = Receiver(lambda _: httpx.Response(500))
    async with reporting(fresh_database, tmp_path, receiver) as api:
        endpoint, _ = await an_endpoint(api, "task.*")
        states = []
        for day in range(6):
            await api.set_clock(NOON + timedelta(days=day, hours=day))
            await heard(api, day + 1)
            await api.run_due()
            states.append((await api.get(f"/v1/webhook-endpoints/{endpoint}"))["status"])
        assert states == ["active"] * 5 + ["disabled"]
        assert {t["reason"] for t in await api.tasks()} == {"webhook_failing", "webhook_disabled"}

        receiver.answer = lambda _: httpx.Response(200)
        await api.patch(f"/v1/webhook-endpoints/{endpoint}", {"status": "active"})
        await api.run_due()
        assert await api.tasks() == []
        log = (await api.get(f"/v1/webhook-endpoints/{endpoint}/deliveries?limit=200"))["data"]
        assert {one["status"] for one in log} == {"delivered"}


async def test_a_delivery_goes_out_again_when_it_is_asked_for(fresh_database: TestDatabase, tmp_path: Path) -> None:
    receiver = Receiver(lambda _: httpx.Response(200))
    async with reporting(fresh_database, tmp_path, receiver) as api:
        endpoint, _ = await an_endpoint(api, "task.*")
        other, _ = await an_endpoint(api, "denial.*")
        await heard(api, 1)
        await api.run_due()
        (delivery,) = (await api.get(f"/v1/webhook-endpoints/{endpoint}/deliveries"))["data"]
        again = await api.post(f"/v1/webhook-endpoints/{endpoint}/deliveries/{delivery['id']}/redeliver", {})
        assert (again["status"], again["attempts"]) == ("pending", 0)
        await api.run_due()
        first, second = receiver.got
        assert first.content == second.content
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        tries = await api.get(f"/v1/webhook-endpoints/{endpoint}/deliveries/{delivery['id']}/attempts")
        assert [one["status"] for one in tries["data"]] == [200, 200]
        for path in (f"{other}/deliveries/{delivery['id']}/redeliver", f"{endpoint}/deliveries/dlv_none/redeliver"):
            assert (await api.call("POST", f"/v1/webhook-endpoints/{path}", {})).status_code == 404


async def test_an_endpoint_that_says_gone_is_switched_off_and_its_owner_told(
    fresh_database: TestDatabase, tmp_path: Path
) -> None:
    receiver = Receiver(lambda _: httpx.Response(410))
    async with reporting(fresh_database, tmp_path, receiver) as api:
        practices = {"url": "http://127.0.0.1:9/hook", "event_types": ["*"], "practice_id": "prc_1"}
        endpoint = (await api.post("/v1/webhook-endpoints", practices))["id"]
        await heard(api, 1)
        await api.run_due()
        assert (await api.get(f"/v1/webhook-endpoints/{endpoint}"))["status"] == "disabled"
        assert [(t["reason"], t["practice_id"]) for t in await api.tasks()] == [("webhook_disabled", "prc_1")]
        await heard(api, 2)
        await api.run_due()
        assert len(receiver.got) == 1
        refused = await api.call("POST", f"/v1/webhook-endpoints/{endpoint}/ping")
        assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_not_active")


@pytest.mark.parametrize("done", ["switched on", "deleted"])
async def test_a_notice_is_closed_by_whoever_deals_with_the_endpoint(
    done: str, fresh_database: TestDatabase, tmp_path: Path
) -> None:
    async with reporting(fresh_database, tmp_path, Receiver(lambda _: httpx.Response(410))) as api:
        endpoint, _ = await an_endpoint(api)
        await heard(api, 1)
        await api.run_due()
        assert [t["reason"] for t in await api.tasks()] == ["webhook_disabled"]
        if done == "deleted":
            assert (await api.call("DELETE", f"/v1/webhook-endpoints/{endpoint}")).status_code == 204
        else:
            await api.patch(f"/v1/webhook-endpoints/{endpoint}", {"status": "active"})
        assert await api.tasks() == []


async def test_a_recovered_endpoint_gets_what_it_missed(fresh_database: TestDatabase, tmp_path: Path) -> None:
    status = [500]
    receiver = Receiver(lambda _: httpx.Response(status[0]))
    async with reporting(fresh_database, tmp_path, receiver) as api:
        endpoint, _ = await an_endpoint(api)
        await heard(api, 1)
        await api.run_due()
        status[0] = 200
        await api.set_clock(NOON + timedelta(minutes=1))
        await api.run_due()
        found = await api.get(f"/v1/webhook-endpoints/{endpoint}")
        assert found["failing_since"] is None
        assert (await api.get(f"/v1/webhook-endpoints/{endpoint}/deliveries"))["data"][0]["status"] == "delivered"


async def test_a_time_range_goes_out_again_with_the_same_ids(fresh_database: TestDatabase, tmp_path: Path) -> None:
    receiver = Receiver(lambda _: httpx.Response(200))
    async with reporting(fresh_database, tmp_path, receiver) as api:
        await heard(api, 1)
        endpoint, _ = await an_endpoint(api)
        await heard(api, 2)
        await api.run_due()
        now = datetime.now(UTC)
        asked = {"since": (now - timedelta(hours=1)).isoformat(), "until": (now + timedelta(hours=1)).isoformat()}
        owed = await api.post(f"/v1/webhook-endpoints/{endpoint}/replay", asked)
        await api.run_due()
        subjects = [orjson.loads(r.content)["subject"] for r in receiver.got if b"task.changed" in r.content]
        assert owed["deliveries"] >= 2
        assert sorted(subjects) == ["tsk_1", "tsk_2", "tsk_2"]


async def test_two_secrets_sign_while_one_is_rotated(fresh_database: TestDatabase, tmp_path: Path) -> None:
    receiver = Receiver(lambda _: httpx.Response(200))
    async with reporting(fresh_database, tmp_path, receiver) as api:
        endpoint, old = await an_endpoint(api)
        new = (await api.post(f"/v1/webhook-endpoints/{endpoint}/secrets", {}))["secret"]
        await api.post(f"/v1/webhook-endpoints/{endpoint}/ping", {})
        await api.run_due()
        (request,) = receiver.got
        for secret in (old, new):
            signatures.verify(
                [secret],
                webhook_id=request.headers["webhook-id"],
                timestamp=request.headers["webhook-timestamp"],
                signatures=request.headers["webhook-signature"],
                body=request.content,
            )


async def test_a_slow_endpoint_delays_nobody_else(fresh_database: TestDatabase, tmp_path: Path) -> None:
    receiver = Receiver(lambda _: httpx.Response(200))

    async def slow_or_not(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/slow":
            await asyncio.sleep(1)
        return await receiver(request)

    transport = httpx.MockTransport(slow_or_not)
    async with open_api(create_service(), fresh_database, tmp_path, outside=transport) as api:
        await an_endpoint(api, url="http://127.0.0.1:9/slow")
        await an_endpoint(api, url="http://127.0.0.1:9/quick")
        await heard(api, 1)
        async with work_being_done(api):
            for _ in range(80):
                if receiver.got:
                    break
                await asyncio.sleep(0.01)
            assert [r.url.path for r in receiver.got] == ["/quick"]


async def test_a_tenant_whose_hundred_endpoints_hang_delays_no_other_tenant(
    fresh_database: TestDatabase, tmp_path: Path
) -> None:
    receiver = Receiver(lambda _: httpx.Response(200))

    async def hang_or_not(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/hangs":
            await asyncio.sleep(3600)
        return await receiver(request)

    transport = httpx.MockTransport(hang_or_not)
    local = {"PARITY_MODE": "local"}
    async with open_api(create_service(), fresh_database, tmp_path, outside=transport, environment=local) as api:
        for _ in range(100):
            await an_endpoint(api, url="http://127.0.0.1:9/hangs")
        await heard(api, 1)
        other = replace(api, tenant="tnt_quick")
        await an_endpoint(other, url="http://127.0.0.1:9/quick")
        await heard(other, 2)
        async with work_being_done(api):
            for _ in range(200):
                if receiver.got:
                    break
                await asyncio.sleep(0.01)
        assert [r.url.path for r in receiver.got] == ["/quick"]


async def test_an_endpoint_that_hangs_is_asked_once_at_a_time_and_rests_between(
    fresh_database: TestDatabase, tmp_path: Path
) -> None:
    asked, hangs = 0, True

    def hang(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if hangs:
            raise httpx.ReadTimeout("nothing comes")
        return httpx.Response(200)

    async with reporting(fresh_database, tmp_path, Receiver(hang)) as api:
        endpoint, _ = await an_endpoint(api, "task.*")
        for number in range(1, 61):
            await heard(api, number)
        await api.run_due()
        assert asked <= deliver.AT_ONCE, "nothing more is begun once one has had no answer"

        asked = 0
        await heard(api, 61)
        assert await api.run_due() == 0, "news wake nobody who rests"
        await api.set_clock(NOON + timedelta(seconds=6))
        await api.run_due()
        assert asked == 1, "one message tells whether it is back"

        hangs = False
        await api.set_clock(NOON + timedelta(minutes=10))
        await api.run_due()
        states = (await api.get(f"/v1/webhook-endpoints/{endpoint}/deliveries?limit=200"))["data"]
        assert [d["status"] for d in states] == ["delivered"] * 61


async def test_an_endpoint_that_moves_gets_at_once_what_waited(fresh_database: TestDatabase, tmp_path: Path) -> None:
    def by_path(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500 if request.url.path == "/old" else 200)

    receiver = Receiver(by_path)
    async with reporting(fresh_database, tmp_path, receiver) as api:
        endpoint, _ = await an_endpoint(api, url="http://127.0.0.1:9/old")
        await heard(api, 1)
        await api.run_due()
        await api.patch(f"/v1/webhook-endpoints/{endpoint}", {"url": "http://127.0.0.1:9/new"})
        await heard(api, 2)
        await api.run_due()
        assert [r.url.path for r in receiver.got] == ["/old", "/new", "/new"]


@pytest.mark.parametrize("attempts", range(1, 10))
def test_each_retry_waits_longer_than_the_one_before(attempts: int) -> None:
    at = deliver.next_try(NOON, attempts)
    assert at is not None
    assert at - NOON >= timedelta(seconds=deliver.RETRIES[attempts - 1])
    assert deliver.next_try(NOON, 10) is None
    assert timedelta(days=2.5) < timedelta(seconds=sum(deliver.RETRIES)) < timedelta(days=4)
