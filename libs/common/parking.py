"""Keys that wait for a person: a record that cannot be applied, and all later records of its key, in order.

A key is parked and replayed under a lock on the key, so a record that comes at the moment of a replay is either
parked behind the others or applied after them.
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import Row, Transaction
from libs.common.inbox import Arrival
from libs.common.logs import where

BEHIND = "an earlier record of this key is parked"
NOT_AN_EVENT = "not an event that can be read"


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
        "headers": dict(record.headers),
        "reason": reason,
        "attempts": attempts,
    }
    await tx.execute(_INSERT, parameters)


async def count(tx: Transaction) -> int:
    """How many records are parked."""
    return int(await tx.scalar(sa.text("select count(*) from parked")))


async def keys(tx: Transaction) -> Sequence[Row]:
    """Each parked key with its first record's topic and reason, its count, and since when; oldest first."""
    return await tx.all(_KEYS)


async def of_key(tx: Transaction, key: str) -> Sequence[Row]:
    """What is parked of a key, in order."""
    return await tx.all(_OF_KEY, {"key": key})


async def one(tx: Transaction, event_id: UUID) -> Row | None:
    return await tx.first(_ONE, {"event_id": str(event_id)})


async def failed_again(tx: Transaction, event_id: UUID, reason: str) -> None:
    """The record stays parked, with the newest reason."""
    await tx.execute(_AGAIN, {"event_id": str(event_id), "reason": reason})


async def release(tx: Transaction, event_id: UUID) -> bool:
    """The record is no longer parked; False where it was not."""
    return (await tx.execute(_RELEASE, {"event_id": str(event_id)})).rowcount == 1


_AMONG = sa.text("select distinct key from parked where key = any(cast(:keys as text[]))")
_LOCK = sa.text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
_INSERT = sa.text(
    "insert into parked (event_id, topic, key, tenant_id, value, headers, reason, attempts) "
    "values (cast(:event_id as uuid), :topic, :key, :tenant, :value, :headers, :reason, :attempts) "
    "on conflict (event_id) do nothing"
).bindparams(sa.bindparam("headers", type_=sa.JSON))
_KEYS = sa.text(
    "select distinct on (key) key, topic, tenant_id, event_id, reason, parked_at, "
    "count(*) over (partition by key) as records from parked order by key, id"
)
_OF_KEY = sa.text("select * from parked where key = :key order by id")
_ONE = sa.text("select * from parked where event_id = cast(:event_id as uuid)")
_AGAIN = sa.text("update parked set reason = :reason, attempts = attempts + 1 where event_id = cast(:event_id as uuid)")
_RELEASE = sa.text("delete from parked where event_id = cast(:event_id as uuid)")
