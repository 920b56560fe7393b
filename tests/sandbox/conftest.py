"""The sandbox behind its real doors on a real database, with a payer's night that a test can call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from libs.common.db import Database
from services.sandbox import night
from services.sandbox.app import create_app
from tests.conftest import TestDatabase
from tests.sandbox.files import BILLING_NPI, RENDERING_NPI, SUBMITTER


@dataclass
class Sandbox:
    """A submitter's view of the clearinghouse, and a director's view of the payers."""

    http: httpx.AsyncClient
    worker: Database
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, body: Any, status: int = 201) -> Any:
        answer = await self.http.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def open(self, submitter_id: str = SUBMITTER) -> None:
        key = (await self.post("/v1/accounts", {"submitter_id": submitter_id}))["api_key"]
        self.headers = {"Authorization": f"Bearer {key}"}

    async def clock(self, at: str) -> None:
        """The clock stands at `at`, and the payers have done what was due."""
        await self.post("/v1/clock/set", {"at": at}, status=200)
        await night.run_all(self.worker)

    async def member(self, payer_id: str = "pay_harborbh", **changes: Any) -> None:
        body = {
            "payer_id": payer_id,
            "member_id": "W000000001",
            "last_name": "Doe",
            "first_name": "Pat",
            "birth_date": "1980-01-01",
            "effective_from": "2024-01-01",
        }
        await self.post("/v1/members", body | changes)

    async def roster(self, payer_id: str = "pay_harborbh", **changes: Any) -> None:
        body = {
            "payer_id": payer_id,
            "npi": RENDERING_NPI,
            "billing_npi": BILLING_NPI,
            "effective_from": "2024-01-01",
            "taxonomy": "103TC0700X",
        }
        await self.post("/v1/rosters", body | changes)

    async def send(self, body: bytes) -> httpx.Response:
        return await self.http.post(
            "/clearinghouse/v1/files", content=body, headers=self.headers | {"Content-Type": "application/edi-x12"}
        )

    async def accept(self, body: bytes) -> None:
        answer = await self.send(body)
        assert answer.status_code == 202, answer.text

    async def ask(self, body: bytes) -> httpx.Response:
        return await self.http.post(
            "/clearinghouse/v1/realtime", content=body, headers=self.headers | {"Content-Type": "application/edi-x12"}
        )

    async def mail(self, *kinds: str) -> list[bytes]:
        """The released answers of these kinds, oldest first, fetched and confirmed."""
        query = "&".join(f"kind={kind}" for kind in kinds)
        listed = await self.http.get(f"/clearinghouse/v1/mailbox?{query}", headers=self.headers)
        assert listed.status_code == 200, listed.text
        bodies = []
        for item in listed.json()["data"]:
            path = f"/clearinghouse/v1/mailbox/{item['id']}"
            bodies.append((await self.http.get(path, headers=self.headers)).content)
            confirmed = await self.http.post(f"{path}/confirm", headers=self.headers)
            assert confirmed.status_code == 204
        return bodies

    async def one(self, kind: str) -> bytes:
        """The only released answer of that kind."""
        found = await self.mail(kind)
        assert len(found) == 1, f"{len(found)} answers of kind {kind}"
        return found[0]


@asynccontextmanager
async def opened(database: TestDatabase) -> AsyncIterator[Sandbox]:
    """Monday 2026-10-05, 18:00: an account, one member of Harbor, one clinician loaded there."""
    app = create_app(database.settings("sandbox"))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client,
    ):
        scene = Sandbox(client, database.open("sandbox", "worker"))
        await scene.open()
        await scene.clock("2026-10-05T18:00:00Z")
        await scene.member()
        await scene.roster()
        yield scene


@pytest.fixture
async def sandbox(fresh_database: TestDatabase) -> AsyncIterator[Sandbox]:
    """A sandbox of this test's own."""
    async with opened(fresh_database) as scene:
        yield scene


@pytest.fixture(scope="module")
async def stage(module_database: TestDatabase) -> AsyncIterator[Sandbox]:
    """A sandbox that the tests of one module share, each with members of its own."""
    async with opened(module_database) as scene:
        yield scene
