"""The clearinghouse's doors: keys, files, the mailbox, and connections that break."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from services.sandbox.app import create_app
from tests.conftest import TestDatabase
from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import SUBMITTER, Claim, an_837, said, segments


async def found(sandbox: Sandbox, number: str, sender: str = SUBMITTER) -> list[str]:
    path = f"/clearinghouse/v1/files?sender={sender}&control_number={number}"
    answer = await sandbox.http.get(path, headers=sandbox.headers)
    assert answer.status_code == 200
    return [file["file_id"] for file in answer.json()["data"]]


async def test_a_file_is_found_by_its_number_and_comes_back_as_it_was(sandbox: Sandbox) -> None:
    assert await found(sandbox, "000000001") == []
    body = an_837(Claim())
    view = (await sandbox.send(body)).json()
    assert (view["sender"], view["control_number"]) == (SUBMITTER, "000000001")
    assert await found(sandbox, "000000001") == [view["file_id"]]
    assert (await sandbox.http.get(f"/v1/files/{view['file_id']}")).content == body


async def test_the_same_bytes_again_change_nothing_and_other_bytes_are_refused(sandbox: Sandbox) -> None:
    first = await sandbox.send(an_837(Claim()))
    again = await sandbox.send(an_837(Claim()))
    assert (again.status_code, again.json()) == (202, first.json())
    other = await sandbox.send(an_837(Claim(pcn="P2")))
    assert (other.status_code, other.json()["code"]) == (409, "control_number_reused")
    assert len(await sandbox.mail("999", "277CA")) == 2


async def test_files_that_arrive_together_under_one_number_are_one_file(sandbox: Sandbox) -> None:
    answers = await asyncio.gather(*(sandbox.send(an_837(Claim())) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["file_id"] for answer in answers}) == 1
    assert len(await sandbox.mail("999", "277CA")) == 2


async def test_without_the_right_key_nothing_is_said(sandbox: Sandbox) -> None:
    for headers in ({}, {"Authorization": "Bearer sbx_wrong"}):
        answer = await sandbox.http.get("/clearinghouse/v1/mailbox", headers=headers)
        assert answer.status_code == 401


async def test_a_submitter_sends_and_sees_only_its_own(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim()))
    listed = await sandbox.http.get("/clearinghouse/v1/mailbox", headers=sandbox.headers)
    mail_id = listed.json()["data"][0]["id"]
    await sandbox.open("OTHERS")
    assert await sandbox.mail() == []
    assert await found(sandbox, "000000001") == []
    taken = await sandbox.http.get(f"/clearinghouse/v1/mailbox/{mail_id}", headers=sandbox.headers)
    assert taken.status_code == 404
    stolen = await sandbox.send(an_837(Claim()))
    assert (stolen.status_code, stolen.json()["code"]) == (403, "sender_mismatch")


async def test_an_answer_is_listed_until_it_is_confirmed(sandbox: Sandbox) -> None:
    await sandbox.accept(an_837(Claim()))
    path = "/clearinghouse/v1/mailbox?kind=277CA"
    for _ in range(2):
        listed = (await sandbox.http.get(path, headers=sandbox.headers)).json()["data"]
        assert [item["kind"] for item in listed] == ["277CA"]
    confirm = f"/clearinghouse/v1/mailbox/{listed[0]['id']}/confirm"
    for _ in range(2):
        assert (await sandbox.http.post(confirm, headers=sandbox.headers)).status_code == 204
    assert (await sandbox.http.get(path, headers=sandbox.headers)).json()["data"] == []
    again = await sandbox.http.get(confirm.removesuffix("/confirm"), headers=sandbox.headers)
    assert said(again.content, "ST*277")


async def test_what_is_no_interchange_is_refused_and_a_broken_one_gets_a_ta1(sandbox: Sandbox) -> None:
    answer = await sandbox.send(b"hello")
    assert (answer.status_code, answer.json()["code"]) == (400, "no_interchange")
    await sandbox.accept(an_837(Claim()).replace(b"IEA*1*000000001~\n", b""))
    assert segments(await sandbox.one("TA1"))[1] == "TA1*000000001*261005*1800*R*023"
    assert await sandbox.mail("999", "277CA") == []


@pytest.fixture
async def served(sandbox: Sandbox, fresh_database: TestDatabase) -> AsyncIterator[httpx.URL]:
    """The same sandbox behind a real server, where connections can break."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    app = create_app(fresh_database.settings("sandbox"))
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110  uvicorn has a flag, no event
            await asyncio.sleep(0.02)
    yield httpx.URL(f"http://127.0.0.1:{port}")
    server.should_exit = True
    await running


@pytest.mark.parametrize(("seconds", "error"), [(0, httpx.RemoteProtocolError), (30, httpx.ReadTimeout)])
async def test_a_file_is_taken_though_its_sender_never_hears_of_it(
    sandbox: Sandbox, served: httpx.URL, seconds: int, error: type[Exception]
) -> None:
    scenario = {"member_id": "W000000001", "fault": "timeout_after_accept", "seconds": seconds}
    await sandbox.post("/v1/scenarios", scenario)
    headers = sandbox.headers | {"Content-Type": "application/edi-x12"}
    async with httpx.AsyncClient(base_url=served, headers=headers, timeout=1) as client:
        with pytest.raises(error):
            await client.post("/clearinghouse/v1/files", content=an_837(Claim()))
        assert len(await found(sandbox, "000000001")) == 1
        again = await client.post("/clearinghouse/v1/files", content=an_837(Claim()))
        assert again.status_code == 202
    assert len(await sandbox.mail("277CA")) == 1
