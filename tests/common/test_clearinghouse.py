"""The clearinghouse's adapter: what arrived is known, what may have arrived is asked about, what waits is fetched."""

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from libs.common import clearinghouse, outside
from libs.common.clearinghouse import (
    Account,
    Clearinghouse,
    ClearinghouseRefused,
    HttpClearinghouse,
    OutcomeUnknown,
    Unreachable,
)
from libs.common.db import Database
from libs.common.http import create_api
from tests.callers import Issuer, calling
from tests.clearinghouse import FakeClearinghouse
from tests.common import door_service
from tests.common.conftest import Rows
from tests.conftest import TestDatabase

ACCOUNT: dict[str, Any] = {
    "submitter_id": "PARITY01",
    "receiver_id": "SANDBOXCH",
    "url": "http://ch.test:8109",
    "api_key": "s3cret",
}


def interchange(number: str = "000000101", *, asks_for_ta1: bool = False, groups: int = 0) -> bytes:
    wanted = "1" if asks_for_ta1 else "0"
    parties = "*ZZ*PARITY01       *ZZ*SANDBOXCH      "
    head = f"ISA*00*          *00*          {parties}*261005*1800*^*00501*{number}*{wanted}*T*:~"
    assert len(head) == 106
    return f"{head}IEA*{groups}*{number}~".encode()


@pytest.fixture
def fake() -> FakeClearinghouse:
    return FakeClearinghouse()


@pytest.fixture
async def house(fake: FakeClearinghouse) -> AsyncIterator[Clearinghouse]:
    async with fake.client() as client:
        yield fake.adapter(client)


@pytest.fixture(params=["fake", "sandbox"])
async def either(request: pytest.FixtureRequest, doors_database: TestDatabase) -> AsyncIterator[Clearinghouse]:
    """The fake that services are tested with, and the sandbox that it must be alike to."""
    if request.param == "fake":
        fake = FakeClearinghouse()
        async with fake.client() as client:
            yield fake.adapter(client)
        return
    app = pytest.importorskip("services.sandbox.app")
    sandbox = app.create_app(doors_database.settings("sandbox"))
    transport = httpx.ASGITransport(app=sandbox)
    async with (
        sandbox.router.lifespan_context(sandbox),
        httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client,
    ):
        opened = await client.post("/v1/accounts", json={"submitter_id": "PARITY01"})
        key = opened.json()["api_key"]
        account = Account(submitter_id="PARITY01", receiver_id="SANDBOXCH", url="http://sandbox.test", api_key=key)
        yield HttpClearinghouse(client, account, local=True)


async def test_a_file_is_taken_once_and_found_by_its_number(either: Clearinghouse) -> None:
    assert await either.find("PARITY01", "000000101") is None
    receipt = await either.send(interchange(), "PARITY01", "000000101")
    assert await either.find("PARITY01", "000000101") == receipt
    assert await either.send(interchange(), "PARITY01", "000000101") == receipt


async def test_a_used_number_with_other_content_is_refused(either: Clearinghouse) -> None:
    await either.send(interchange("000000102"), "PARITY01", "000000102")
    with pytest.raises(ClearinghouseRefused) as refused:
        await either.send(interchange("000000102", groups=1), "PARITY01", "000000102")
    assert refused.value.status == 409


async def test_what_is_no_interchange_is_refused(either: Clearinghouse) -> None:
    with pytest.raises(ClearinghouseRefused):
        await either.send(b"not x12", "PARITY01", "000000103")


async def test_an_acknowledgement_is_listed_fetched_and_confirmed(either: Clearinghouse) -> None:
    await either.send(interchange("000000104", asks_for_ta1=True), "PARITY01", "000000104")
    assert await either.mailbox(["999", "835"]) == []
    item = (await either.mailbox(["TA1"]))[-1]
    assert item.kind == "TA1"
    assert (await either.fetch(item.id)).startswith(b"ISA*")
    await either.confirm(item.id)
    await either.confirm(item.id)
    await either.confirm("mail_404")
    assert item.id not in [one.id for one in await either.mailbox([])]


async def test_a_wrong_key_is_refused(either: Clearinghouse) -> None:
    assert isinstance(either, HttpClearinghouse)
    either._headers["Authorization"] = "Bearer wrong"
    with pytest.raises(ClearinghouseRefused) as refused:
        await either.mailbox([])
    assert refused.value.status == 401


async def test_a_refusal_keeps_the_clearinghouses_words_out_of_its_own(house: Clearinghouse) -> None:
    with pytest.raises(ClearinghouseRefused) as refused:
        await house.send(b"not x12", "PARITY01", "000000101")
    assert "interchange" in refused.value.text
    assert str(refused.value) == "refused with 422"


@pytest.mark.parametrize("fault", ["lost_answer", "time_out", "error", "lost_request"])
async def test_when_the_outcome_is_unknown_the_number_tells(
    house: Clearinghouse, fake: FakeClearinghouse, fault: str
) -> None:
    fake.next_fault = fault  # type: ignore[assignment]
    with pytest.raises(OutcomeUnknown):
        await house.send(interchange(), "PARITY01", "000000101")
    arrived = await house.find("PARITY01", "000000101")
    assert (arrived is not None) == (fault in ("lost_answer", "time_out"))


@pytest.mark.parametrize("fault", ["unreachable", "unavailable"])
async def test_when_nothing_was_taken_it_says_so(house: Clearinghouse, fake: FakeClearinghouse, fault: str) -> None:
    fake.next_fault = fault  # type: ignore[assignment]
    with pytest.raises(Unreachable) as told:
        await house.send(interchange(), "PARITY01", "000000101")
    assert told.value.retry_after_seconds == (7 if fault == "unavailable" else None)
    assert fake.files == []


async def test_a_receipt_for_another_file_is_no_receipt(house: Clearinghouse) -> None:
    with pytest.raises(OutcomeUnknown):
        await house.send(interchange(), "PARITY01", "000000102")


async def test_an_answer_that_is_not_what_was_agreed_is_no_receipt() -> None:
    def nonsense(_: httpx.Request) -> httpx.Response:
        return httpx.Response(202, json={"ok": True})

    async with httpx.AsyncClient(transport=httpx.MockTransport(nonsense)) as client:
        house = FakeClearinghouse().adapter(client)
        with pytest.raises(OutcomeUnknown):
            await house.send(interchange(), "PARITY01", "000000101")


async def test_a_redirect_is_not_followed_with_our_key() -> None:
    def elsewhere(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "https://elsewhere.example"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(elsewhere), follow_redirects=True) as client:
        with pytest.raises(Unreachable):
            await FakeClearinghouse().adapter(client).mailbox([])


def _leads_to(*addresses: str) -> outside.Look:
    """A name service that knows one answer to everything."""
    return lambda _, port, **how: [(socket.AF_INET, how["type"], 6, "", (address, port)) for address in addresses]


def _no_such_name(*_: Any, **__: Any) -> list[Any]:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


@pytest.mark.parametrize(
    ("url", "look"),
    [
        ("https://house.example", _leads_to("10.0.0.7")),
        ("https://house.example", _leads_to("93.184.216.34", "169.254.169.254")),
        ("https://house.example", _no_such_name),
        ("https://127.0.0.1", _leads_to("127.0.0.1")),
        ("http://house.example", _leads_to("93.184.216.34")),
    ],
)
async def test_nothing_is_sent_to_a_name_that_leads_into_our_network(url: str, look: outside.Look) -> None:
    """Neither a file with patients' names nor our key; it is tried again later, as one that cannot be reached."""
    fake = FakeClearinghouse()
    async with fake.client() as client:
        house = HttpClearinghouse(client, replace(fake.account, url=url), local=False, look=look)
        with pytest.raises(Unreachable):
            await house.send(interchange(), "PARITY01", "000000101")
        with pytest.raises(Unreachable):
            await house.mailbox([])
    assert fake.files == []


async def test_what_is_sent_goes_to_the_address_that_was_checked_in_the_name_of_the_host() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": []})

    account = replace(FakeClearinghouse().account, url="https://house.example:8443/edi")
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        house = HttpClearinghouse(client, account, local=False, look=_leads_to("93.184.216.34"))
        assert await house.find("PARITY01", "000000101") is None
    [request] = seen
    asked = "https://93.184.216.34:8443/edi/clearinghouse/v1/files?sender=PARITY01&control_number=000000101"
    assert (str(request.url), request.headers["host"]) == (asked, "house.example:8443")
    assert request.extensions["sni_hostname"] == "house.example"


async def test_the_mailbox_is_listed_fetched_and_confirmed(house: Clearinghouse, fake: FakeClearinghouse) -> None:
    first, second, third = (fake.deliver(kind, kind.encode()) for kind in ("999", "277CA", "835"))

    assert [(item.id, item.kind) for item in await house.mailbox(["999", "277CA"])] == [
        (first, "999"),
        (second, "277CA"),
    ]
    assert await house.fetch(first) == b"999"
    await house.confirm(first)
    await house.confirm(first)
    await house.confirm("mail_404")
    assert [item.id for item in await house.mailbox([])] == [second, third]


async def test_a_real_time_question_has_its_answer(house: Clearinghouse, fake: FakeClearinghouse) -> None:
    fake.answer = lambda x12: b"ISA*271 to " + x12
    assert await house.realtime(b"270") == b"ISA*271 to 270"
    assert fake.questions == [b"270"]


def test_an_account_does_not_show_its_key() -> None:
    assert "key-of-parity" not in repr(FakeClearinghouse().account)


async def test_the_account_is_set_read_without_its_key_and_replaced(
    biller: httpx.AsyncClient, worker: Database, tenant: str, rows: Rows
) -> None:
    path = "/v1/clearinghouse-account"
    assert (await biller.get(path)).status_code == 404
    async with worker.transaction(tenant) as tx:
        assert await clearinghouse.account_of(tx) is None

    assert (await biller.put(path, json=ACCOUNT)).json()["version"] == 1
    changed: dict[str, Any] = {**ACCOUNT, "api_key": "newer", "receiver_name": "Our House", "test": True}
    again = await biller.put(path, json=changed)
    assert (again.json()["version"], again.headers["etag"]) == (2, '"2"')

    shown = await biller.get(path)
    assert [shown.json()[name] for name in ("submitter_id", "receiver_name", "test")] == ["PARITY01", "Our House", True]
    assert "newer" not in shown.text
    assert "newer" not in str(await rows.of("clearinghouse_account"))
    async with worker.transaction(tenant) as tx:
        assert await clearinghouse.account_of(tx) == clearinghouse.Account(**changed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://x"},
        {"submitter_id": "A*B"},
        {"api_key": ""},
        {"api_key": "a b"},
        {"more": 1},
        {"time_zone": "X"},
    ],
)
async def test_an_account_that_cannot_be_right_is_refused(biller: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    assert (await biller.put("/v1/clearinghouse-account", json={**ACCOUNT, **wrong})).status_code == 422


@pytest.mark.parametrize(
    "url", ["http://ch.example.com", "https://10.0.0.1/ch", "https://169.254.169.254", "https://a..b"]
)
async def test_outside_local_mode_an_account_is_at_a_public_https_address(
    doors_database: TestDatabase, issuer: Issuer, url: str
) -> None:
    settings = doors_database.settings("reporting", PARITY_MODE="production")
    app = create_api(door_service.create_service(), settings)
    async with app.router.lifespan_context(app), calling(app, issuer.token()) as caller:
        refused = await caller.put("/v1/clearinghouse-account", json={**ACCOUNT, "url": url})
        taken = await caller.put("/v1/clearinghouse-account", json={**ACCOUNT, "url": "https://ch.example.com/v1"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "url_not_allowed")
    assert taken.status_code == 200


async def test_a_caller_of_one_practice_does_not_set_the_account_of_all(api: FastAPI, issuer: Issuer) -> None:
    async with calling(api, issuer.token(practice_ids=["prc_1"])) as theirs:
        refused = await theirs.put("/v1/clearinghouse-account", json=ACCOUNT)
    assert (refused.status_code, refused.json()["code"]) == (403, "practice_forbidden")


async def test_another_tenants_account_is_not_seen(api: FastAPI, issuer: Issuer, biller: httpx.AsyncClient) -> None:
    await biller.put("/v1/clearinghouse-account", json=ACCOUNT)
    async with calling(api, issuer.token(tenant_id="tnt_other")) as other:
        assert (await other.get("/v1/clearinghouse-account")).status_code == 404
