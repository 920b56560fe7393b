"""A record has its effect once, or its key is parked; an outage is waited out, and never parks."""

import asyncio
import json
from collections.abc import Sequence
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from libs.common import telemetry
from libs.common.consumer import PER_TRANSACTION, TRIES, Inlet, Stopped
from libs.common.db import Stale, Transaction
from libs.common.events import Envelope
from libs.common.log import LogUnavailable, Record
from libs.common.transient import is_transient
from tests.common.log.dock import TENANT, Damaged, Dock, Docked
from tests.common.log.worlds import EmbeddedWorld, Harbour


@pytest.fixture
async def world(harbour: Harbour) -> EmbeddedWorld:
    return EmbeddedWorld(harbour)


def a_record(dock: Dock, ship: str, number: int, **changes: object) -> Record:
    body = {
        "id": str(uuid4()),
        "type": f"{dock.topic}.v1",
        "source": "/services/dock",
        "subject": f"shp_{ship}",
        "sequence": "1",
        "time": "2026-10-05T15:00:00Z",
        "tenantid": TENANT,
        "data": {"ship_id": f"shp_{ship}", "number": number},
    } | changes
    return Record(
        topic=dock.topic, partition=0, offset=number, key=f"shp_{ship}", value=json.dumps(body).encode(), headers={}
    )


async def test_a_batch_that_comes_again_has_no_second_effect(dock: Dock) -> None:
    batch = [a_record(dock, "a", number) for number in range(PER_TRANSACTION + 5)]
    await dock.inlet().take(batch)
    await dock.inlet().take(batch[3:])
    await dock.inlet().take([*batch, *batch])
    assert await dock.effects("a") == list(range(PER_TRANSACTION + 5))


async def test_two_members_with_the_same_records_have_one_effect_between_them_in_order(dock: Dock) -> None:
    """As after a partition has moved while its old owner was still at work."""
    records = [a_record(dock, ship, number) for number in range(60) for ship in ("a", "b")]
    await dock.inlet().take(records[:20])
    old_owner, new_owner, third = records[20:], records, records[10:90]
    await asyncio.gather(dock.inlet().take(old_owner), dock.inlet().take(new_owner), dock.inlet().take(third))
    assert await dock.effects("a") == await dock.effects("b") == list(range(60))


async def test_what_a_handler_does_is_caused_by_its_event(dock: Dock) -> None:
    found: dict[str, object] = {}

    async def on_docked(tx: Transaction, event: Envelope[Docked]) -> None:
        found.update(id=event.id, cause=tx.causation_id, correlation=tx.correlation_id, tenant=tx.tenant_id)
        found.update(trace=(telemetry.current() or "")[3:35], data=event.data)

    record = a_record(
        dock, "a", 7, correlationid="enc_1", traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    )
    await _inlet(dock, on_docked).take([record])
    assert found["id"] == found["cause"] == json.loads(record.value)["id"]
    assert (found["correlation"], found["tenant"]) == ("enc_1", TENANT)
    assert found["trace"] == "0af7651916cd43dd8448eb211c80319c"
    assert found["data"] == dock.event(ship_id="shp_a", number=7)


def _inlet(dock: Dock, handler: object, stopping: asyncio.Event | None = None, tries: int = 3) -> Inlet:
    return Inlet(
        db=dock.db,
        group=dock.group,
        handlers={dock.topic: handler},  # type: ignore[dict-item]
        stopping=stopping or asyncio.Event(),
        events=dock.events,
        tries=tries,
    )


async def test_a_failure_is_tried_a_few_times_before_it_parks_and_its_text_gets_nowhere(dock: Dock) -> None:
    dock.poison.add(("a", 0))
    await dock.inlet(tries=TRIES).take([a_record(dock, "a", 0), a_record(dock, "b", 0), a_record(dock, "a", 1)])
    assert dock.seen == 1 + 2 + TRIES  # once plainly, the batch with savepoints, and a few times alone
    rows = await dock.query("select key, reason, attempts, tenant_id from parked order by id")
    assert [(row["key"], row["attempts"]) for row in rows] == [("shp_a", TRIES), ("shp_a", 0)]
    assert rows[0]["reason"].startswith("Damaged at ")
    assert "Jane" not in str(rows)
    assert rows[1]["reason"] == "an earlier record of this key is parked"
    assert await dock.count("inbox") == 1


async def test_a_failure_that_passes_parks_nothing(dock: Dock) -> None:
    failures = iter([Stale("clm_1"), Stale("clm_1"), Damaged(), None])

    async def on_docked(tx: Transaction, _: Envelope[Docked]) -> None:
        if failure := next(failures):
            raise failure

    await _inlet(dock, on_docked).take([a_record(dock, "a", 0)])
    assert (await dock.count("parked"), await dock.count("inbox")) == (0, 1)


async def test_what_is_no_event_is_parked_at_once(dock: Dock) -> None:
    junk = Record(topic=dock.topic, partition=0, offset=0, key="shp_a", value=b"\xff not json", headers={})
    unknown = a_record(dock, "b", 0, data={"ship_id": 1})
    await dock.inlet().take([junk, junk, unknown, a_record(dock, "c", 0)])
    rows = await dock.query("select key, reason from parked order by id")
    assert [row["key"] for row in rows] == ["shp_a", "shp_b"]
    assert rows[0]["reason"] == "not an event that can be read"
    assert rows[1]["reason"].startswith("UnreadableEvent at libs/common/events/envelope.py")
    assert await dock.effects("c") == [0]


async def test_what_only_the_commit_refuses_is_tried_alone_and_parks_its_own_key(dock: Dock, harbour: Harbour) -> None:
    """As the ledger's rule that every journal sums to zero, which the database checks at the commit."""
    async with harbour.admin() as connection:
        await connection.execute("""
            create or replace function dock.refuse() returns trigger language plpgsql as
                $$ begin if new.key = 'unbalanced' then raise check_violation; end if; return null; end $$;
            create constraint trigger refuse after insert on dock.effect deferrable initially deferred
                for each row execute function dock.refuse()""")
    try:
        await dock.inlet().take([a_record(dock, "a", 0), a_record(dock, "unbalanced", 0), a_record(dock, "b", 0)])
    finally:
        async with harbour.admin() as connection:
            await connection.execute("drop trigger refuse on dock.effect; drop function dock.refuse()")
    assert (await dock.effects("a"), await dock.effects("b")) == ([0], [0])
    assert [row["key"] for row in await dock.query("select key from parked")] == ["shp_unbalanced"]


async def test_an_outage_of_the_database_is_waited_out_however_often_it_strikes(dock: Dock, harbour: Harbour) -> None:
    struck = 0

    async def on_docked(tx: Transaction, _: Envelope[Docked]) -> None:
        nonlocal struck
        if struck < 4:  # more often than a poison is tried
            struck += 1
            pid = await tx.scalar(sa.text("select pg_backend_pid()"))
            async with harbour.admin() as connection:
                await connection.execute("select pg_terminate_backend($1)", pid)
                await asyncio.sleep(0.01)
            await tx.scalar(sa.text("select 1"))

    await _inlet(dock, on_docked).take([a_record(dock, "a", 0)])
    assert struck == 4
    assert (await dock.count("parked"), await dock.count("inbox")) == (0, 1)


async def test_a_consumer_that_is_to_stop_does_not_wait_for_the_outage_to_end(dock: Dock) -> None:
    stopping = asyncio.Event()

    async def on_docked(_: Transaction, __: Envelope[Docked]) -> None:
        stopping.set()
        raise ConnectionResetError

    with pytest.raises(Stopped):
        await _inlet(dock, on_docked, stopping).take([a_record(dock, "a", 0)])
    assert (await dock.count("parked"), await dock.count("inbox")) == (0, 0)


TRANSIENT: Sequence[BaseException] = (
    ConnectionRefusedError(),
    TimeoutError(),
    LogUnavailable("away"),
    asyncpg.SerializationError(),
    asyncpg.DeadlockDetectedError(),
    asyncpg.LockNotAvailableError(),
    asyncpg.AdminShutdownError(),
    asyncpg.CannotConnectNowError(),
    asyncpg.TooManyConnectionsError(),
    asyncpg.DiskFullError(),
    asyncpg.InterfaceError("connection is closed"),
    sa.exc.TimeoutError("pool"),
)
LASTING: Sequence[BaseException] = (
    asyncpg.UniqueViolationError(),
    asyncpg.CheckViolationError(),
    asyncpg.QueryCanceledError(),
    asyncpg.UndefinedTableError(),
    FileNotFoundError(),
    Stale("clm_1"),
    KeyError(),
    ValueError(),
)


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_what_is_the_worlds_fault_passes(error: BaseException) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
def test_what_is_ours_or_the_messages_fault_does_not_pass_by_waiting(error: BaseException) -> None:
    assert not is_transient(error)
