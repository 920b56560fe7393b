"""Promise: a record that cannot be applied holds up its own key only; once it is mended, nothing shows that it was."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from deploy.local.postgres import Cluster
from libs.common import parking
from libs.common.consumer import consume
from libs.common.db import Transaction
from libs.common.effect import Handlers
from libs.common.events import Envelope
from libs.common.log.embedded import EmbeddedLog
from libs.common.relay import Relay
from services.reporting.events import CONSUMES
from tests.conftest import TestDatabase, copy_of, drop
from tests.reporting.ledgers import TENANT, a_month, tables

pytestmark = pytest.mark.thorough

CLAIMS, CLAIMS_AT_NIGHT = 150, 1_500
ONE_IN = 1_000
A_SECOND = 200
MOST_SECONDS = 1.0


class Damaged(Exception):
    """What a handler makes of a poison."""


@dataclass(slots=True, eq=False)
class Line:
    """Records on their way from the services' outboxes through the log into reporting's tables, at a steady pace."""

    database: TestDatabase
    poison: frozenset[str]
    sent: dict[str, float] = field(default_factory=dict)
    applied: dict[str, float] = field(default_factory=dict)

    def handlers(self, poison: frozenset[str]) -> Handlers:
        """Reporting's own, which fail at a poison."""

        async def on_event(tx: Transaction, event: Envelope[Any]) -> None:
            await CONSUMES[event.topic](tx, event)
            if event.id in poison:
                raise Damaged
            self.applied[event.id] = time.monotonic()

        return dict.fromkeys(CONSUMES, on_event)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        log = EmbeddedLog(self.database.url("reporting", "worker"))
        logs = [EmbeddedLog(self.database.url(name, "worker")) for name in ("claims", "remittance")]
        parts = [
            Relay(self.database.url(name, "worker"), name, own).run(stopping)
            for name, own in zip(("claims", "remittance"), logs, strict=True)
        ]
        parts.append(
            consume(
                log,
                group="reporting",
                handlers=self.handlers(self.poison),
                db=self.database.open("reporting"),
                stopping=stopping,
            )
        )
        running = [asyncio.create_task(part) for part in parts]
        try:
            yield
        finally:
            stopping.set()
            async with asyncio.timeout(15):
                await asyncio.gather(*running)
            for one in (log, *logs):
                await one.close()

    async def carry(self, records: Sequence[bytes]) -> None:
        """All records were sent, one each few milliseconds, and have been applied or parked."""
        admin = await asyncpg.connect(self.database.admin_url)
        began = time.monotonic()
        for number, raw in enumerate(records):
            event = orjson.loads(raw)
            service = event["source"].rpartition("/")[2]
            await asyncio.sleep(began + number / A_SECOND - time.monotonic())
            self.sent[event["id"]] = time.monotonic()
            await admin.execute(
                f"insert into {service}.outbox (event_id, topic, key, tenant_id, value) values ($1, $2, $3, $4, $5)",
                event["id"],
                event["type"].removesuffix(".v1"),
                event["subject"],
                TENANT,
                raw,
            )
            await admin.execute(f"notify {service}_outbox")
        async with asyncio.timeout(60):
            while await admin.fetchval(_TAKEN) < len(records):  # noqa: ASYNC110  the database counts
                await asyncio.sleep(0.05)
        await admin.close()

    def p99_seconds(self, besides: frozenset[str]) -> float:
        """How long all but the slowest hundredth took from being sent to being applied, poisoned keys left out."""
        delays = sorted(self.applied[id_] - at for id_, at in self.sent.items() if id_ not in besides)
        return delays[len(delays) * 99 // 100]


async def test_a_poison_in_a_thousand_holds_up_its_own_key_and_no_other(
    template: str, cluster: Cluster, secrets: Path, night: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    records = a_month(CLAIMS_AT_NIGHT if night else CLAIMS)
    events = [orjson.loads(raw) for raw in records]
    poison = frozenset(event["id"] for event in events[ONE_IN // 2 :: ONE_IN])
    keys = sorted({event["subject"] for event in events if event["id"] in poison})
    of_those = frozenset(event["id"] for event in events if event["subject"] in keys)

    clean, poisoned = [Line(await copy_of(template, cluster, secrets), ids) for ids in (frozenset(), poison)]
    for line in (clean, poisoned):
        async with line.working():
            await line.carry(records)
    without, with_poison = clean.p99_seconds(of_those), poisoned.p99_seconds(of_those)
    with capsys.disabled():
        print(f"\n{len(records)} records, {len(poison)} poisons: p99 {without:.3f} s without, {with_poison:.3f} s with")
    assert len(poison) >= 2
    assert with_poison - without < MOST_SECONDS

    db = poisoned.database.open("reporting")
    assert len(await parking.list_parked(db)) == len(keys)
    assert await tables(poisoned.database) != await tables(clean.database)
    for key in keys:
        await parking.replay(db, key, poisoned.handlers(frozenset()))
    assert await parking.list_parked(db) == ["nothing is parked"]
    assert await tables(poisoned.database) == await tables(clean.database)
    for line in (clean, poisoned):
        await drop(line.database, cluster)


_TAKEN = "select (select count(*) from reporting.inbox) + (select count(*) from reporting.parked)"
