"""A practice's week under load: many sessions at a steady pace, then the payers' answers; and what has come of it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import orjson

from deploy.local.demo.figures import BUCKETS
from deploy.local.demo.practice import ZONE, Patient
from deploy.local.topology import SERVICES
from libs.common.events import CONSUMERS
from tests.platform import STATE, TUESDAY, WEDNESDAY, Scenario

PATIENTS = {"pay_harborbh": 10, "pay_summit": 8, "pay_bluebonnet": 7}
WEEKS = 3
SESSIONS = sum(PATIENTS.values()) * WEEKS
AT_ONCE = 8
FAULTS = ("timeout_after_accept", "deny_50", "835_before_277ca", "answer_twice", "two_payments", "underpay")
PHASES: tuple[tuple[str, int | None], ...] = (
    ("18:00", None), ("20:00", None), ("22:00", None), ("23:00", None), ("06:00", None),
    ("23:00", TUESDAY), ("06:00", None), ("23:00", WEDNESDAY), ("06:00", None), ("20:00", None),
)  # fmt: skip
"""The week, in the order in which it is walked: when, and on which weekday where that matters."""

Step = Callable[[str], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Load:
    """The sessions of one practice, on their way to the platform."""

    scenario: Scenario
    admin: asyncpg.Pool | None = None
    """A superuser's look inside."""
    started: int = 0
    told: int = 0
    _allowed: int = SESSIONS
    _patients: list[Patient] = field(default_factory=list)
    _progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def prepare(self) -> None:
        """The payers know the patients, and what they will do wrong."""
        for payer_id, count in PATIENTS.items():
            for _ in range(count):
                patient = await self.scenario.patient(payer_id)
                self._patients.append(patient)
        for place, (fault, patient) in enumerate(zip(FAULTS, self._patients, strict=False)):
            day = self._at(patient, place % WEEKS).date().isoformat()
            await self.scenario.payer_will(patient, fault, service_date=day)
        await self.scenario.quiet()

    async def tell(self, *, every_seconds: float) -> None:
        """Every session has been told, one begun every so many seconds, a few at a time."""
        hands = asyncio.Semaphore(AT_ONCE)

        async def one(patient: Patient, week: int) -> None:
            external_id = f"p{patient.number:02d}w{week}"
            try:
                await self.scenario.tell_session(patient, at=self._at(patient, week), external_id=external_id)
                async with self._progress:
                    self.told += 1
                    self._progress.notify_all()
            finally:
                hands.release()

        async with asyncio.TaskGroup() as group:
            for week in range(WEEKS):
                for patient in self._patients:
                    await hands.acquire()
                    async with self._progress:
                        await self._progress.wait_for(lambda: self.started < self._allowed)
                    self.started += 1
                    group.create_task(one(patient, week))
                    await asyncio.sleep(every_seconds)

    async def until_told(self, count: int) -> None:
        """So many sessions have been told, and only a few more will be until the next call or `let_go`."""
        async with self._progress:
            self._allow(count + AT_ONCE)
            await self._progress.wait_for(lambda: self.told >= count)

    async def let_go(self) -> None:
        """All sessions will be told."""
        async with self._progress:
            self._allow(SESSIONS)

    def _allow(self, count: int) -> None:
        self._allowed = count
        self._progress.notify_all()

    async def walk_the_week(self, step: Step | None = None) -> None:
        """Claims have gone out, were acknowledged, decided and paid."""
        for clock, weekday in PHASES:
            await self.scenario.until(clock, weekday=weekday, meanwhile=step)

    async def unfinished(self) -> int:
        """How much is under way at this moment, by the database: unread, unsent, due or undecided."""
        return int(await self.value(_UNFINISHED)) + self.started - self.told

    async def value(self, query: str, *arguments: Any) -> Any:
        """The first value of the first row."""
        assert self.admin is not None, "the week has begun"
        return await self.admin.fetchval(query, *arguments)

    async def rows(self, query: str, *arguments: Any) -> list[Any]:
        assert self.admin is not None, "the week has begun"
        found: list[Any] = await self.admin.fetch(query, *arguments)
        return found

    def _at(self, patient: Patient, week: int) -> datetime:
        """A working hour of the clinician that is nobody else's."""
        monday = datetime(2026, 8, 24, tzinfo=ZONE) + timedelta(weeks=week)
        day = (monday + timedelta(days=patient.number % 5)).date()
        return datetime.combine(day, time(8 + patient.number // 5), tzinfo=ZONE)


_UNFINISHED = (
    "select (select count(*) from claims.inbound_message where status = 'received')"
    " + (select count(*) from claims.batch where status = 'stored')"
    " + (select count(*) from sandbox.claim where status = 'pending' and adjudicate_at <= platform.now())"
    + "".join(
        f" + (select count(*) from {service}.outbox)"
        f" + (select count(*) from {service}.timer where due_at <= platform.now())"
        for service in SERVICES
    )
)


async def figures(load: Load) -> dict[str, Any]:
    """What the week has come to; the same whatever was killed."""
    client = load.scenario.client
    kpis = await client.get("reporting", "/v1/kpis", **{"from": "2026-08-01", "to": "2026-10-31"})
    totals = await load.scenario.totals()
    claims = await load.rows(
        "select external_id, id from claims.claim where tenant_id = $1 order by external_id", client.tenant_id
    )
    buckets = await asyncio.gather(*(load.scenario.ledger(row["id"]) for row in claims))
    return {
        "claims_by_status": kpis["claims_by_status"],
        "facts": dict(await load.scenario.facts()),
        **{name: totals[name] for name in (*BUCKETS, "era_received_cents", "era_clearing_cents", "suspense_cents")},
        "claims": {row["external_id"]: found for row, found in zip(claims, buckets, strict=True)},
    }


async def broken_promises(load: Load) -> list[str]:
    """Everything that is not as promised, in words; nothing, we hope."""
    tenant = load.scenario.client.tenant_id
    totals = await load.scenario.totals()
    found = {name: totals[name] for name in totals if name.endswith(("_difference_cents", "_imbalance_cents"))}
    broken = [f"{name} is {cents}" for name, cents in found.items() if cents]
    for words, query, expected in _COUNTS:
        arguments = [tenant] if "$1" in query else []
        count = await load.value(query, *arguments)
        if count != expected:
            broken.append(f"{words}: {count}, not {expected}")
    for service in SERVICES:
        for table in ("outbox", "parked"):
            if count := await load.value(f"select count(*) from {service}.{table}"):
                broken.append(f"{service}.{table} holds {count}")
    broken += [f"{count} {words} {service}" for words, service, count in await load.rows(_EFFECTS)]
    records = await load.rows("select value from reporting.record where tenant_id = $1 order by position", tenant)
    return broken + list(out_of_order(orjson.loads(row["value"]) for row in records))


_HEARD = ", ".join(
    f"('{event.topic}', '{service}')" for event, services in CONSUMERS.items() for service in (*services, "reporting")
)
_EFFECTS = (
    "with sent as ("
    + " union all ".join(f"select event_id, topic from {service}.sent" for service in SERVICES)
    + f"), heard (topic, service) as (values {_HEARD})"
    " select 'events had no effect in' as words, service, count(*) from sent join heard using (topic)"
    " where not exists (select from witness.effect e"
    " where e.service = heard.service and e.event_id = sent.event_id) group by service"
    " union all select 'events had their effect more than once in', service, count(*) from ("
    "select service, event_id from witness.effect group by 1, 2 having count(*) > 1) doubled group by service"
)
"""What was told and not heard, and what was heard and had its effect again."""


_COUNTS: tuple[tuple[str, str, int], ...] = (
    ("encounters", "select count(*) from claims.encounter where tenant_id = $1", SESSIONS),
    ("claims", "select count(*) from claims.claim where tenant_id = $1", SESSIONS),
    ("claimed encounters", "select count(distinct encounter_id) from claims.claim where tenant_id = $1", SESSIONS),
    ("submissions", "select count(*) from claims.submission where tenant_id = $1", SESSIONS),
    ("submitted claims", "select count(distinct claim_id) from claims.submission where tenant_id = $1", SESSIONS),
    ("numbers given", "select count(distinct pcn) from claims.submission where tenant_id = $1", SESSIONS),
    ("claims at the payers", "select count(*) from sandbox.claim", SESSIONS),
    ("numbers at the payers", "select count(distinct pcn) from sandbox.claim", SESSIONS),
    ("files", "select count(*) from sandbox.file", len(PATIENTS)),
    ("arrivals of files", "select sum(arrivals) from sandbox.file", len(PATIENTS)),
    ("batches", "select count(distinct control_number) from claims.batch where tenant_id = $1", len(PATIENTS)),
)


def out_of_order(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Subjects whose events did not arrive in the order of their sequence, or states with a gap."""
    seen: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for event in events:
        seen[event["source"], event["type"], event["subject"]].append(int(event["sequence"]))
    wrong: Counter[str] = Counter()
    for (_, kind, _), sequences in seen.items():
        if any(later <= earlier for earlier, later in pairwise(sequences)):
            wrong[f"{kind} out of order"] += 1
        elif kind.removesuffix(".v1").endswith(STATE) and sequences != list(range(1, len(sequences) + 1)):
            wrong[f"{kind} with a gap"] += 1
    yield from (f"{words}: {count} subjects" for words, count in wrong.items())
