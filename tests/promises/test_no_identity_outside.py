"""Promise: nobody's identity leaves Postgres: not in topics, logs, spans, metrics, errors, URLs, parked reasons.

Nor in what others are told of events: by webhook, by the pulled log, by analytics tables.

Marked words stand for a patient's name, birth date, member id, address, diagnosis and what a note would say. They run
through a practice's whole week, and through everything that goes wrong on the way.
"""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.demo.client import Client
from deploy.local.demo.practice import Patient
from deploy.local.nursery import Nursery
from deploy.local.platform import Platform
from deploy.local.postgres import Cluster, remove
from libs.common.ids import uuid7
from tests import opening
from tests.collector import Collector
from tests.platform import THURSDAY, Scenario
from tests.promises.listeners import Outside

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("identity")]

FIRST, LAST, STREET = "Zebulonia", "Quackenfield", "Kestrelwing"
BORN = date(1951, 2, 3)
DIAGNOSIS = "F60.3"
NOTE = "dreams of drowning brothers"
MEMBERS = ("ZQKCANARY1", "ZQKCANARY2", "ZQKCANARY3")
CANARIES = tuple(
    word.encode()
    for word in (
        FIRST, FIRST.upper(), LAST, LAST.upper(), STREET, STREET.upper(), *MEMBERS, DIAGNOSIS, NOTE, NOTE.upper(),
        BORN.isoformat(), f"{BORN:%Y%m%d}", f"{BORN:%m/%d/%Y}",
    )
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Traced:
    """A platform whose spans are collected."""

    platform: Platform
    collector: Collector
    database: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A database server whose log is of this test alone."""
    cluster = Cluster.start(tmp_path_factory.mktemp("postgres"), durable=False)
    yield cluster
    cluster.stop()
    remove(cluster.home)


@pytest.fixture
async def traced(server: Cluster, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Traced]:
    """A platform of which every trace is recorded."""
    with Collector.listening() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARITY_DATABASE", server.admin_url)
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_TRACES_SAMPLER_ARG", "1")
        async with Platform.running(tmp_path / "home", bear=nursery.spawn) as platform:
            yield Traced(platform, collector, f"{server.admin_url.rpartition('/')[0]}/parity")


@pytest.fixture
def outside(traced: Traced) -> Iterator[Outside]:
    with Outside.listening(traced.platform) as found:
        yield found


async def test_no_identity_is_found_outside_the_tables(
    traced: Traced, outside: Outside, server: Cluster, http: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = await Scenario.open(traced.platform, http)
    await outside.come_between(scenario)
    patients = [a_patient(number) for number in range(1, len(MEMBERS) + 1)]
    for patient in patients[:-1]:  # the last one is not known to the payer: what it refuses is part of the promise
        await opening.enrol(scenario.client, patient, {"deductible_used_cents": 50_000})
    await scenario.payer_will(patients[1], "deny_50")
    for patient in patients:
        await scenario.tell_session(patient, **told_of(patient))
    answers = Answers(scenario, a_body(scenario, patients[-1]))
    await answers.ask_everything_wrong()
    await a_webhook_that_cannot_be_mapped(scenario)
    async with _admin(traced.database) as admin:
        await a_poisoned_event(admin, scenario.client.tenant_id)
        await scenario.claims_go_out()
        await scenario.payer_pays(THURSDAY)

        said = Said(traced, server, admin)
        assert await admin.fetchval("select count(*) from eligibility.parked") == 1
        assert (await scenario.totals())["payer_paid_cents"] > 0
        places = await said.everywhere()
        places["answers to errors"] = answers.bodies
        places |= await outside.told(scenario)
    with capsys.disabled():
        print(f"\nlooked at { ({where: len(texts) for where, texts in places.items()}) }")
    assert all(places.values()), f"nothing was said in {[where for where, texts in places.items() if not texts]}"
    assert _found(places) == []
    assert answers.refused >= 40
    async with _admin(traced.database) as admin:
        kept = await admin.fetchval("select count(*) from sandbox.claim where member_id = any($1)", list(MEMBERS))
    assert kept >= 2, "the marked words did run through the tables"


# -- what is sent


def a_patient(number: int) -> Patient:
    return Patient(
        number=number,
        first_name=FIRST,
        last_name=LAST,
        dob=BORN,
        sex="F",
        payer_id="pay_harborbh",
        member_id=MEMBERS[number - 1],
    )


def told_of(patient: Patient) -> dict[str, Any]:
    """What the EHR tells of every session of a marked patient."""
    known = {"external_id": patient.external_id, "first_name": FIRST, "last_name": LAST, "dob": BORN.isoformat()}
    place = {"line1": f"1 {STREET} Rd", "city": "Austin", "state": "TX", "zip": "787030001"}
    return {"patient": known | {"sex": "F", "address": place}, "diagnoses": [{"rank": 1, "code": DIAGNOSIS}]}


def a_body(scenario: Scenario, patient: Patient) -> dict[str, Any]:
    """A whole encounter with marked words wherever identity belongs."""
    return {
        "external_id": "wrong-1",
        "practice_id": scenario.practice_id,
        "coverages": [
            {"rank": 1, "payer": {"id": patient.payer_id}, "member_id": patient.member_id, "relationship": "self"}
        ],
        "service": {"date": "2026-10-05", "kind": "individual", "psychotherapy_minutes": 45, "place_of_service": "11"},
        "providers": {"rendering": {"npi": scenario.practice.clinicians[0].npi}},
        **told_of(patient),
    }


@dataclass(slots=True, eq=False)
class Answers:
    """What the APIs say to requests that are wrong, each with marked words in it."""

    scenario: Scenario
    body: dict[str, Any]
    bodies: list[bytes] = field(default_factory=list)
    refused: int = 0

    async def ask_everything_wrong(self) -> None:
        everywhere = [f"{FIRST} {LAST}", DIAGNOSIS, NOTE, BORN.isoformat(), MEMBERS[0]]
        for number, path in enumerate(_leaves(self.body)):
            text = everywhere[number % len(everywhere)]
            for wrong in (text, [text], {text: text}):
                await self._post("claims", "/v1/encounters", json=_changed(self.body, path, wrong))
        client = self.scenario.client
        name = {"practice_id": self.scenario.practice_id, "external_id": NOTE, "first_name": [FIRST], "last_name": LAST}
        wrong_bodies: tuple[tuple[str, str, Any], ...] = (
            ("claims", "/v1/encounters", {**self.body, NOTE: LAST}),
            ("eligibility", "/v1/patients", name | {"dob": f"{BORN:%m/%d/%Y}", "sex": DIAGNOSIS}),
            ("eligibility", "/v1/authorizations", {"patient_id": LAST, "payer_id": FIRST, "number": [MEMBERS[0]]}),
            ("credentialing", "/v1/providers", {"npi": MEMBERS[0], "first_name": {FIRST: LAST}, "last_name": 7}),
            ("remittance", "/v1/deposits", {"trace": [LAST], "amount_cents": NOTE, "deposited_on": str(BORN)}),
            ("reporting", "/v1/webhook-endpoints", {"url": f"ftp://{LAST}", "events": [FIRST]}),
        )
        for service, address, body in wrong_bodies:
            await self._post(service, address, json=body)
        for raw in (f'{{"patient": "{FIRST} {LAST}', f'"{NOTE}"', f'{{"a": "{LAST}\\u0000"}}', f"{FIRST}\xff"):
            await self._post("claims", "/v1/encounters", content=raw.encode("latin-1"))
        await self._post("remittance", "/v1/remittances", content=f"ISA*{LAST}*{FIRST}~".encode(), kind="text/plain")
        for service in client.platform.urls:
            if service != "sandbox":
                await self._get(service, f"/v1/{LAST}/{MEMBERS[0]}")
                await self._get(service, f"/v1/tasks/{FIRST}%20{LAST}?dob={BORN}")
                await self._get(service, f"/v1/tasks?status={NOTE}&limit={LAST}&cursor={FIRST}")

    async def _post(self, service: str, path: str, *, kind: str = "application/json", **how: Any) -> None:
        headers = {"Idempotency-Key": uuid7().hex, "Content-Type": kind, "X-Purpose-Of-Use": "PAYMENT"}
        await self._ask("POST", service, path, headers=headers, **how)

    async def _get(self, service: str, path: str) -> None:
        await self._ask("GET", service, path, headers={})

    async def _ask(self, method: str, service: str, path: str, *, headers: dict[str, str], **how: Any) -> None:
        client: Client = self.scenario.client
        token = client.platform.headers(tenant_id=client.tenant_id)
        answer = await client.http.request(method, client.platform.urls[service] + path, headers=headers | token, **how)
        assert answer.status_code < 500, (method, path, answer.status_code)
        if answer.is_error:
            self.refused += 1
            self.bodies.append(answer.content + repr(sorted(answer.headers.items())).encode())


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from _leaves(one, (*path, name))
    if not isinstance(value, dict | list):
        yield path


def _changed(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made: Any = copy.deepcopy(body)
    within = made
    for name in path[:-1]:
        within = within[name]
    within[path[-1]] = value
    return dict(made)


async def a_webhook_that_cannot_be_mapped(scenario: Scenario) -> None:
    """The EHR's messages are signed and taken in; what they say fails afterwards, and a person gets a task."""
    for number, wrong in enumerate(({"patient": {FIRST: LAST}}, [NOTE, DIAGNOSIS], {"external_id": LAST, "dob": NOTE})):
        await scenario.client.webhook("claims", scenario.source, f"wrong-{number}", wrong)


async def a_poisoned_event(admin: asyncpg.Connection, tenant_id: str) -> None:
    """A record on a topic that no release can read. What it holds is marked otherwise: it is itself in the topic."""
    subject = f"enc_{uuid7().hex}"
    body = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "type": "encounter.created.v1",
        "source": "/services/claims",
        "subject": subject,
        "sequence": 1,
        "time": "2026-10-05T16:00:00Z",
        "tenantid": tenant_id,
        "data": {"encounter_id": POISON, "patient": POISON},
    }
    await admin.execute(
        "insert into claims.outbox (event_id, topic, key, tenant_id, value) values ($1, $2, $3, $4, $5)",
        body["id"],
        "encounter.created",
        subject,
        tenant_id,
        json.dumps(body).encode(),
    )
    await admin.execute("notify claims_outbox")


POISON = "Poisonberry Marrowfat"


# -- where it is looked for


@dataclass(slots=True, eq=False)
class Said:
    """Everything that leaves the tables."""

    traced: Traced
    server: Cluster
    admin: asyncpg.Connection

    async def everywhere(self) -> dict[str, list[bytes]]:
        home = self.traced.platform.home
        return {
            "topics": await self._topics(),
            "parked reasons": [
                row["reason"].encode()
                for service in ("claims", "eligibility", "remittance", "credentialing", "reporting")
                for row in await self.admin.fetch(f"select reason from {service}.parked")
            ],
            "metrics": await self._metrics(),
            "spans": await self._spans(),
            "logs": [path.read_bytes() for path in sorted((home / "logs").iterdir())],
            "Postgres's log": [path.read_bytes() for path in self.server.home.rglob("*.log")],
        }

    async def _topics(self) -> list[bytes]:
        rows = await self.admin.fetch("select key, value, headers::text from log.record")
        texts = [row["value"] + row["key"].encode() + row["headers"].encode() for row in rows]
        return [text for text in texts if POISON.encode() not in text]

    async def _metrics(self) -> list[bytes]:
        platform = self.traced.platform
        found = []
        async with httpx.AsyncClient(trust_env=False) as client:
            for url in platform.worker_urls.values():
                found += [(await client.get(f"{url}{path}")).content for path in ("/metrics", "/flow", "/readyz")]
            for url in platform.urls.values():
                found += [(await client.get(f"{url}{path}")).content for path in ("/metrics", "/readyz")]
        return found

    async def _spans(self) -> list[bytes]:
        """All of them: the exporters hand over what they hold every five seconds."""
        await asyncio.sleep(6)
        return list(self.traced.collector.taken)


def _found(places: dict[str, list[bytes]]) -> list[str]:
    """Where a marked word stands, with what stands around it."""
    hits = []
    for where, texts in places.items():
        words = CANARIES if where == "topics" else (*CANARIES, *(word.encode() for word in POISON.split()))
        for text in texts:
            for word in words:
                at = text.find(word)
                if at >= 0:
                    hits.append(f"{where}: {text[max(0, at - 60) : at + 60]!r}")
    return hits


@asynccontextmanager
async def _admin(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()
