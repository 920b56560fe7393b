"""Keys that wait for a person: a record that cannot be applied, and all later records of its key, in order.

A key is parked and replayed under a lock on the key, so a record that comes at the moment of a replay is either
parked behind the others or applied after them.
"""

from collections.abc import Sequence

import orjson
import sqlalchemy as sa

from libs.common import audit, inbox
from libs.common.db import Database, Row, Transaction
from libs.common.effect import Events, Handlers, apply
from libs.common.events import CATALOG
from libs.common.inbox import Arrival
from libs.common.log import Record
from libs.common.logs import where
from libs.common.transient import is_transient

BEHIND = "an earlier record of this key is parked"
NOT_AN_EVENT = "not an event that can be read"


class NotDone(Exception):
    """What an operator asked for was not done, or not to the end: a line for each thing done, then one that says why.

    The lines are its arguments.
    """


def reason_of(error: Exception) -> str:
    """What failed and where in our code; never the error's text, which may quote a person's data."""
    return f"{type(error).__name__} at {where(error) or 'unknown place'}"


async def parked_among(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Those of `keys` that are parked, as a first look without a lock."""
    return {row["key"] for row in await tx.all(_AMONG, {"keys": sorted(set(keys))})}


async def lock(tx: Transaction, key: str) -> None:
    """Nobody else parks or replays this key until `tx` ends."""
    await tx.execute(_LOCK, {"key": f"parked/{tx.service}/{key}"})


async def park_behind(tx: Transaction, arrival: Arrival) -> bool:
    """True: the key is parked, and now this record too. False: the key is free, and stays so until `tx` ends."""
    await lock(tx, arrival.record.key)
    if not await parked_among(tx, [arrival.record.key]):
        return False
    await _insert(tx, arrival, BEHIND, 0)
    return True


async def park(tx: Transaction, arrival: Arrival, *, reason: str, attempts: int) -> None:
    """The record is parked, once, and its key with it."""
    await lock(tx, arrival.record.key)
    await _insert(tx, arrival, reason, attempts)


async def _insert(tx: Transaction, arrival: Arrival, reason: str, attempts: int) -> None:
    record = arrival.record
    parameters = {
        "event_id": str(arrival.event_id),
        "topic": record.topic,
        "key": record.key,
        "tenant": arrival.tenant_id,
        "value": record.value,
        "headers": orjson.dumps(dict(record.headers)).decode(),
        "reason": reason,
        "attempts": attempts,
    }
    await tx.execute(_INSERT, parameters)


async def list_parked(db: Database) -> list[str]:
    """A line for each parked key, the longest waiting first: why, how many records wait, since when."""
    async with db.transaction() as tx:
        rows = await tx.all(_KEYS)
    return [
        f"{row['key']}  {row['records']} parked since {row['parked_at']:%Y-%m-%d %H:%M:%S}Z  "
        f"{row['topic']}  {row['tenant_id'] or 'no tenant'}  {row['reason']}"
        for row in rows
    ] or ["nothing is parked"]


async def show(db: Database, key: str) -> list[str]:
    """What is parked of a key, in order: each record's reason and its open content, what is sealed left out.

    Raises NotDone (the key is not parked).
    """
    async with db.transaction() as tx:
        rows = await tx.all(_OF_KEY, {"key": key})
    lines: list[str] = []
    for row in rows:
        lines.append(
            f"{row['event_id']}  {row['topic']}  parked {row['parked_at']:%Y-%m-%d %H:%M:%S}Z "
            f"after {row['attempts']} tries: {row['reason']}"
        )
        lines.append(f"  {_open_content(row['value'])}")
    if not lines:
        raise _not_parked(key)
    return lines


async def replay(db: Database, key: str, handlers: Handlers, events: Events = CATALOG) -> list[str]:
    """The key's records have had their effect, in order, up to the first that fails again; that one stays first.

    Raises NotDone (the key is not parked, or its record failed again).
    """
    lines: list[str] = []
    while True:
        async with db.transaction() as tx:
            row = await tx.first(_FIRST, {"key": key})
        if row is None:
            if not lines:
                raise _not_parked(key)
            return lines
        try:
            if await _replay_one(db, row, handlers, events):
                lines.append(f"{row['event_id']}  {row['topic']}  applied")
        except Exception as error:
            if is_transient(error):
                raise
            reason = reason_of(error)
            async with db.transaction(row["tenant_id"]) as tx:
                await tx.execute(_AGAIN, {"event_id": str(row["event_id"]), "reason": reason})
            raise NotDone(*lines, f"{row['event_id']}  {row['topic']}  failed again: {reason}") from error


async def _replay_one(db: Database, row: Row, handlers: Handlers, events: Events) -> bool:
    """The record is no longer parked and has had its effect; False where somebody else was faster."""
    arrival = _arrival(row)
    async with db.transaction(arrival.tenant_id) as tx:
        await lock(tx, arrival.record.key)
        if (await tx.execute(_RELEASE, {"event_id": str(row["event_id"])})).rowcount == 0:
            return False
        if await inbox.first_time(tx, arrival):
            await apply(tx, arrival, handlers, events)
    return True


async def drop(db: Database, key: str, event_id: str, why: str) -> list[str]:
    """The key's first record is given up: it has no effect here, nor has a copy that the log may bring again.

    Only the first, and by its id, so that nobody gives up what they have not looked at; those behind it wait for a
    replay. The tenant's trail says who it was and why. Raises NotDone (nothing such is parked).
    """
    async with db.transaction(actor="operator") as tx:
        await lock(tx, key)
        row = await tx.first(_FIRST, {"key": key})
        if row is None:
            raise _not_parked(key)
        if str(row["event_id"]) != event_id:
            raise NotDone(f"{event_id} is not the first record that is parked of {key}: see `parked show {key}`")
        await tx.execute(_RELEASE, {"event_id": event_id})
        await inbox.first_time(tx, _arrival(row))
        if row["tenant_id"] is not None:
            await tx.set_tenant(row["tenant_id"])
            await audit.record(tx, "parked.drop", row["topic"], event_id, why, practice_id=None)
    return [f"{event_id}  {row['topic']}  dropped"]


def _not_parked(key: str) -> NotDone:
    return NotDone(f"{key} is not parked here: see `parked list`")


def _arrival(row: Row) -> Arrival:
    headers = orjson.loads(row["headers"])
    return Arrival.of(
        Record(topic=row["topic"], partition=-1, offset=-1, key=row["key"], value=row["value"], headers=headers)
    )


def _open_content(value: bytes) -> str:
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError:
        return f"{len(value)} bytes that are not JSON"
    if isinstance(body, dict) and "sealed" in body:
        body["sealed"] = "…"
    return orjson.dumps(body).decode()


_AMONG = sa.text("select distinct key from parked where key = any(cast(:keys as text[]))")
_LOCK = sa.text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
_INSERT = sa.text(
    "insert into parked (event_id, topic, key, tenant_id, value, headers, reason, attempts) "
    "values (cast(:event_id as uuid), :topic, :key, :tenant, :value, cast(cast(:headers as text) as jsonb), "
    ":reason, :attempts) "
    "on conflict (event_id) do nothing"
)
_KEYS = sa.text(
    "select * from (select distinct on (key) id, key, topic, tenant_id, reason, parked_at, "
    "count(*) over (partition by key) as records from parked order by key, id) first_of_key order by id"
)
_OF_KEY = sa.text("select * from parked where key = :key order by id")
_FIRST = sa.text(
    "select event_id, topic, key, tenant_id, value, cast(headers as text) as headers "
    "from parked where key = :key order by id limit 1"
)
_AGAIN = sa.text("update parked set reason = :reason, attempts = attempts + 1 where event_id = cast(:event_id as uuid)")
_RELEASE = sa.text("delete from parked where event_id = cast(:event_id as uuid)")
