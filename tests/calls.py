"""A service as its surroundings reach it: its API, the events it is sent, the time, and what it told."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import sqlalchemy as sa

from deploy.local.keys import ISSUER, Keys
from libs.common import webhooks
from libs.common.composition import Service
from libs.common.db import Database
from libs.common.events import CATALOG, Envelope, Event, read
from libs.common.http import create_api
from libs.common.ids import new_id, uuid7
from libs.common.settings import ServiceSettings
from libs.common.timers import Due, Work
from tests.conftest import TestDatabase

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


@dataclass(slots=True, eq=False)
class Api:
    """One service under test; calls are made for one tenant with all of its scopes."""

    service: Service
    database: TestDatabase
    worker: Database
    keys: Keys
    http: httpx.AsyncClient
    outside: httpx.AsyncClient
    settings: ServiceSettings
    tenant: str
    sequences: dict[tuple[str, str], int] = field(default_factory=dict)

    def token(self, **claims: Any) -> str:
        scopes = [f"{self.service.name}:read", f"{self.service.name}:write"]
        return self.keys.token(**{"tenant_id": self.tenant, "subject": "tester", "scopes": scopes} | claims)

    async def call(
        self, method: str, path: str, json: Any = None, *, token: str = "", **headers: str
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {token or self.token()}"}
        if method == "POST":
            sent["Idempotency-Key"] = uuid.uuid4().hex
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, path, json=json, headers=sent)

    async def post(self, path: str, json: Any, **more: Any) -> dict[str, Any]:
        """The answer to a POST that succeeds."""
        return good(await self.call("POST", path, json, **more))

    async def get(self, path: str, **more: Any) -> dict[str, Any]:
        """The answer to a GET that succeeds."""
        return good(await self.call("GET", path, **more))

    async def patch(self, path: str, json: Any, *, version: int | str = "*", **more: Any) -> dict[str, Any]:
        """The answer to a PATCH that succeeds."""
        return good(await self.call("PATCH", path, json, If_Match=str(version), **more))

    async def set_clock(self, at: datetime) -> None:
        """Business time stands at `at`."""
        connection = await asyncpg.connect(self.database.admin_url)
        try:
            await connection.execute("update platform.clock set stands_at = $1", at)
        finally:
            await connection.close()

    async def deliver(self, event: Event, *, sequence: int | None = None, time: datetime = NOON) -> None:
        """The service's handler has taken this event, once."""
        key = (event.topic, event.subject())
        self.sequences[key] = sequence or self.sequences.get(key, 0) + 1
        envelope: Envelope[Any] = Envelope(
            id=str(uuid7()),
            type=event.full_type(),
            source=f"/services/{event.producer}",
            subject=event.subject(),
            sequence=self.sequences[key],
            time=time,
            tenantid=self.tenant,
            correlationid=getattr(event, "encounter_id", None),
            data=event,
        )
        async with self.worker.transaction(self.tenant, correlation_id=envelope.correlationid) as tx:
            await self.service.consumes[event.topic](tx, envelope)

    async def run_due(self) -> int:
        """Everything that is due by business time is done, and what that makes due; how many steps ran."""
        due_work = (*self.service.timers, *webhooks.timers(self.service))
        steps = {timer.kind: timer.step for timer in due_work}
        assert self.worker.keyring is not None
        work = Work(db=self.worker, http=self.outside, keyring=self.worker.keyring, settings=self.settings)
        for ran in range(1000):
            async with self.worker.transaction() as tx:
                row = await tx.first(_DUE, {"now": tx.now, "kinds": list(steps), "tenant": self.tenant})
            if row is None:
                return ran
            due = Due(
                kind=row["kind"], tenant_id=row["tenant_id"], id=row["id"], at=row["due_at"], attempts=row["attempts"]
            )
            await steps[due.kind](work, due)
        raise AssertionError("what is due never ends")

    async def run_together(self) -> None:
        """Everything that is due by now is done at the same moment, as a worker with free hands would."""
        steps = {timer.kind: timer.step for timer in self.service.timers}
        assert self.worker.keyring is not None
        work = Work(db=self.worker, http=self.outside, keyring=self.worker.keyring, settings=self.settings)
        async with self.worker.transaction() as tx:
            rows = await tx.all(_ALL_DUE, {"now": tx.now, "kinds": list(steps), "tenant": self.tenant})
        due = [
            Due(kind=r["kind"], tenant_id=r["tenant_id"], id=r["id"], at=r["due_at"], attempts=r["attempts"])
            for r in rows
        ]
        await asyncio.gather(*(steps[one.kind](work, one) for one in due))

    async def told(self, model: type[Event]) -> list[Any]:
        """The events of this kind that the service has told, oldest first, opened."""
        return [envelope.data for envelope in await self.envelopes(model)]

    async def envelopes(self, model: type[Event]) -> list[Envelope[Any]]:
        async with self.worker.transaction() as tx:
            rows = await tx.all(_TOLD, {"topic": model.topic, "tenant": self.tenant})
        keyring = self.worker.keyring
        assert keyring is not None
        return [read(bytes(row["value"]), CATALOG[model.topic], keyring.open) for row in rows]

    async def tasks(self, status: str = "open") -> list[dict[str, Any]]:
        """The service's tasks in that state."""
        found = await self.get(f"/v1/tasks?status={status}&limit=200")
        return list(found["data"])


_DUE = sa.text("select * from timers_due(:now, :kinds, 1000) where tenant_id = :tenant limit 1")
_ALL_DUE = sa.text("select * from timers_due(:now, :kinds, 1000) where tenant_id = :tenant")
_TOLD = sa.text("select value from outbox where topic = :topic and tenant_id = :tenant order by id")


def good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.status_code} {answer.text}"
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


@asynccontextmanager
async def open_api(
    service: Service,
    database: TestDatabase,
    home: Path,
    *,
    outside: httpx.AsyncBaseTransport | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Api]:
    """The service for a tenant of its own, at noon; `outside` plays everybody that its worker calls."""
    keys = Keys.of(home)
    settings = database.settings(
        service.name,
        PARITY_JWKS=keys.jwks,
        PARITY_ISSUER=ISSUER,
        PARITY_CURSOR_KEY=keys.cursor_key,
        **(environment or {}),
    )
    app = create_api(service, settings, database=database.open(service.name, "api"))
    nobody = httpx.MockTransport(lambda _: httpx.Response(503))
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service.test") as http,
        httpx.AsyncClient(transport=outside or nobody) as out,
    ):
        found = Api(service, database, database.open(service.name), keys, http, out, settings, new_id("tnt"))
        await found.set_clock(NOON)
        yield found
