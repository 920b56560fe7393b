"""An EHR that tells sessions whatever happens, each until it is taken, and keeps what it was answered."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import httpx
import orjson

from deploy.local.demo.encounters import encounter
from deploy.local.demo.practice import ZONE, Patient, Session
from deploy.local.topology import SERVICES
from tests.platform import Scenario
from tests.promises.load import out_of_order

PATIENTS = 10
"""Each is seen once a day, at an hour that is nobody else's."""
AT_ONCE = 8
FIRST = datetime(2026, 8, 3, 8, tzinfo=ZONE)
AGAIN_SECONDS = 0.25


@dataclass(slots=True, eq=False)
class Ehr:
    """The EHR of a practice; a session's external id is its idempotency key, too."""

    scenario: Scenario
    admin_url: str
    patients: list[Patient] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)
    """The encounter of each session that Parity has taken."""
    answers: list[httpx.Response] = field(default_factory=list)
    unanswered: int = 0
    """How often a call broke off."""
    _begun: int = 0

    async def prepare(self) -> None:
        """The payer knows the patients."""
        self.patients = [await self.scenario.patient() for _ in range(PATIENTS)]
        await self.scenario.quiet()

    async def tell(self, count: int = 1) -> None:
        """So many sessions have been taken, all told at once."""
        await asyncio.gather(*(self._until_taken(self._next()) for _ in range(count)))

    @asynccontextmanager
    async def telling(self, *, every_seconds: float = 0.1) -> AsyncIterator[None]:
        """Sessions are told inside the block, one each so many seconds, a few at a time; after it all are taken."""
        over, hands = asyncio.Event(), asyncio.Semaphore(AT_ONCE)

        async def one(external_id: str) -> None:
            try:
                await self._until_taken(external_id)
            finally:
                hands.release()

        async def keep_telling() -> None:
            async with asyncio.TaskGroup() as group:
                while not over.is_set():
                    await hands.acquire()
                    group.create_task(one(self._next()))
                    await asyncio.sleep(every_seconds)

        keeping = asyncio.create_task(keep_telling())
        try:
            yield
        finally:
            over.set()
            await keeping

    async def taken_again(self, count: int) -> None:
        """Some of what was taken has been told again with its key, and is what it was."""
        for external_id in list(self.taken)[-count:]:
            answer = await self._ask(external_id)
            assert answer is not None
            assert answer.headers["Idempotency-Replayed"] == "true"
            assert answer.json()["id"] == self.taken[external_id]

    async def ready_claims(self) -> int:
        """How many sessions have become a claim that may go out, which takes two services and the payer."""
        return int(await self._count("select count(*) from claims.claim where tenant_id = $1 and status = 'ready'"))

    async def unsent(self) -> int:
        """How many events wait in the outbox of claims."""
        return int(await self._count("select count(*) from claims.outbox where tenant_id = $1"))

    async def until_heard(self, seconds: float) -> None:
        """Eligibility has heard of every session taken so far."""
        heard = "select count(*) from eligibility.encounter where tenant_id = $1"
        async with asyncio.timeout(seconds):
            while await self._count(heard) < len(self.taken):  # noqa: ASYNC110  the database counts
                await asyncio.sleep(0.1)

    async def until_ready(self, seconds: float) -> None:
        """Every session taken so far has become a claim that may go out."""
        async with asyncio.timeout(seconds):
            while await self.ready_claims() < len(self.taken):  # noqa: ASYNC110  the database counts
                await asyncio.sleep(0.1)

    async def broken_promises(self) -> list[str]:
        """What of the sessions that were taken is lost, here twice, or out of order; the flow has come to rest."""
        await self.scenario.quiet()
        tenant, told = self.scenario.client.tenant_id, len(self.taken)
        assert len(set(self.taken.values())) == told
        connection = await asyncpg.connect(self.admin_url)
        try:
            found = {table: await connection.fetchval(query, tenant) for table, query in _ONE_EACH.items()}
            left = {s: await connection.fetchval(f"select count(*) from {s}.parked") for s in SERVICES}
            rows = await connection.fetch(
                "select value from reporting.record where tenant_id = $1 order by position", tenant
            )
        finally:
            await connection.close()
        events = [orjson.loads(row["value"]) for row in rows]
        found["events"] = sum(event["type"] == "encounter.created.v1" for event in events)
        broken = [f"{count} {name} of {told} sessions" for name, count in found.items() if count != told]
        broken += [f"{count} parked in {service}" for service, count in left.items() if count]
        return broken + list(out_of_order(iter(events)))

    def refusals(self) -> Counter[int]:
        """How often each status that is no success was answered."""
        return Counter(answer.status_code for answer in self.answers if not answer.is_success)

    def _next(self) -> str:
        self._begun += 1
        return f"visit-{self._begun:05d}"

    async def _until_taken(self, external_id: str) -> None:
        while True:
            answer = await self._ask(external_id)
            if answer is None:
                self.unanswered += 1
            else:
                self.answers.append(answer)
                if answer.is_success:
                    self.taken[external_id] = answer.json()["id"]
                    return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _ask(self, external_id: str) -> httpx.Response | None:
        client, number = self.scenario.client, int(external_id.rpartition("-")[2])
        session = Session(
            external_id=external_id,
            patient=self.patients[number % PATIENTS],
            clinician=self.scenario.practice.clinicians[0],
            kind="individual",
            start=FIRST + timedelta(days=number // PATIENTS % 60, hours=number % PATIENTS),
            minutes=45,
            video=False,
        )
        body = encounter(self.scenario.practice, self.scenario.practice_id, self.scenario.location_id, session)
        headers = client.platform.headers(tenant_id=client.tenant_id) | {"Idempotency-Key": external_id}
        try:
            return await client.http.post(f"{client.platform.urls['claims']}/v1/encounters", json=body, headers=headers)
        except httpx.TransportError:
            return None

    async def _count(self, query: str) -> int:
        connection = await asyncpg.connect(self.admin_url)
        try:
            return int(await connection.fetchval(query, self.scenario.client.tenant_id))
        finally:
            await connection.close()


_ONE_EACH = {
    "encounters": "select count(*) from claims.encounter where tenant_id = $1",
    "claims": "select count(*) from claims.claim where tenant_id = $1",
    "claims that may go out": "select count(*) from claims.claim where tenant_id = $1 and status = 'ready'",
    "claimed encounters": "select count(distinct encounter_id) from claims.claim where tenant_id = $1",
}
