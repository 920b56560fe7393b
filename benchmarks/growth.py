"""What a claim costs where ten times as many claims stand in the tables: to take in, to scrub, to post.

Two databases of the same practice, one with ten times the sessions, claims, submissions and ledger lines of the other:
some claims went their way to the payment, the rest are copies of them, each another patient's, a few each day. In turn,
the same is done on both: one more session is posted, its claim scrubbed after the payer's answer, and a remittance of
one claim posted to the ledger. What counts is processor time, ours and the database's; the database's alone stands
beside it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
import httpx

from benchmarks.copies import Meter, copy, multiply
from benchmarks.figures import Figure, middle
from benchmarks.stage import Stage
from services.claims.app import create_service as claims
from services.remittance.app import create_service as remittance
from tests.calls import open_api
from tests.claims.conftest import Desk, another_session
from tests.clearinghouse import FakeClearinghouse
from tests.conftest import TestDatabase
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line

MADE = 10
CLAIMS = 500
TIMES = 10
ROUNDS = 25
AT_MOST = 1.1
TENANT, PRACTICE = "tnt_bench", "prc_books"
Cost = tuple[float, float]


@dataclass(slots=True)
class Place:
    """A practice's claims and its books, in one database."""

    desk: Desk
    books: Books
    meter: Meter

    async def round(self, name: str) -> dict[str, Cost]:
        """One more claim, from the session to the ledger, and what each step cost."""
        found = {}
        encounter: dict[str, str] = {}

        async def take_in() -> None:
            encounter.update(await self.desk.send(another_session(f"{name}-{name}")))

        found["intake"] = await self.meter.of(take_in)
        found["scrub"] = await self.meter.of(partial(self.desk.check, encounter["id"]))
        sent = await self.books.send(Sent(pcn=f"P{name}A1"))
        decided = answer(sent.pcn, line(13500, 9300, *PAID, control=sent.control(1)), icn=f"ICN{name}")
        await self.books.upload(an_835(decided, trace=f"EFT{name}"))
        found["posting"] = await self.meter.of(self.books.api.run_due)
        return found


async def measure(stage: Stage) -> list[Figure]:
    """Each step at ten times the claims, against the same step at one."""
    async with _place(stage.database, stage.home / "made") as first:
        for number in range(MADE):
            await first.round(f"made{number}")
        await first.desk.at(18)
    few, many = await copy(stage, "few"), await copy(stage, "many")
    await _filled(few, CLAIMS)
    await _filled(many, CLAIMS * TIMES)
    costs: list[dict[str, list[Cost]]] = [{}, {}]
    async with _place(few, stage.home / "few") as one, _place(many, stage.home / "many") as ten:
        for number in range(ROUNDS + 1):
            for place, found in zip((one, ten), costs, strict=True):
                for name, cost in (await place.round(f"new{number}")).items():
                    found.setdefault(name, []).extend([cost] if number else [])  # the first one warms up
    return [_figure(name, costs[0][name], costs[1][name]) for name in costs[0]]


def _figure(name: str, few: list[Cost], many: list[Cost]) -> Figure:
    one, ten = middle([sum(cost) for cost in few]), middle([sum(cost) for cost in many])
    there = middle([cost[1] for cost in many]) / middle([cost[1] for cost in few])
    seen = f"{one * 1e3:.2f} and {ten * 1e3:.2f} ms; the database's share alone {there:.2f}"
    return Figure(name=f"{name} at ten times the claims", value=ten / one, target=AT_MOST, at_most=True, seen=seen)


@asynccontextmanager
async def _place(database: TestDatabase, home: Path) -> AsyncIterator[Place]:
    clearinghouse = FakeClearinghouse()
    meter = Meter(database)
    async with (
        open_api(claims(), database, home, outside=httpx.MockTransport(clearinghouse._handle)) as of_claims,
        open_api(remittance(), database, home) as of_remittance,
    ):
        of_claims.tenant = of_remittance.tenant = TENANT
        desk, books = Desk(of_claims, clearinghouse), Books(of_remittance, PRACTICE)
        await desk.set_account()
        await desk.know_practice()
        await desk.enroll()
        await books.know_practice()
        yield Place(desk, books, meter)
        await meter.close()
    await database.close()


async def _filled(database: TestDatabase, claims_wanted: int) -> None:
    """So many claims stand in the tables of both services."""
    connection = await asyncpg.connect(database.admin_url)
    try:
        for schema in ("claims", "remittance"):
            rows = await connection.fetch(_TABLES, schema)
            tables = [row["table_name"] for row in rows]
            await multiply(database, schema, tables, claims_wanted // MADE - 1, _ANOTHERS)
        for table in ("claims.encounter", "claims.claim", "remittance.posting"):
            count = await connection.fetchval(f"select count(*) from {table}")
            assert count == claims_wanted, f"{table}: {count}"
    finally:
        await connection.close()


_KERNEL = (
    "outbox", "sent", "inbox", "parked", "timer", "idempotency", "audit", "task", "inbound_source", "inbound_message",
    "clearinghouse_account", "counter",
)  # fmt: skip
_TABLES = f"""
    select table_name from information_schema.columns
    where table_schema = $1 and column_name = 'tenant_id' and table_name not in {_KERNEL} order by table_name
"""
_TOLD_APART = ("external_id", "natural_key", "content_hash", "pcn", "pcn_key", "trace", "fingerprint", "icn")
_ANOTHERS = f"""
    regexp_replace(row::text, '_([0-9a-f]{{28}})[0-9a-f]{{4}}', '_\\1z' || lpad(to_hex(k), 3, '0'), 'g')::jsonb || (
        select coalesce(jsonb_object_agg(name, row ->> name || '-' || k), '{{}}')
        from unnest(array{list(_TOLD_APART)}) name where row ->> name is not null
    ) || case when row ? 'service_date' and row ->> 'service_date' is not null
        then jsonb_build_object('service_date', (row ->> 'service_date')::date - k) else '{{}}' end
"""
