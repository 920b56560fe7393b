"""Endpoints that hear of events: where, which types, under which secrets."""

import fnmatch
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from libs.common import outside, signatures, tasks, timers
from libs.common.db import Row, Stale, Transaction
from libs.common.events import CATALOG
from libs.common.http import FieldError, Invalid, NotFound
from libs.common.ids import new_id
from services.reporting import tables

_ACTIVE = "endpoints that are active"
PING = "endpoint.ping.v1"
DELIVER = "reporting.deliver"
HEALTHY: Final = MappingProxyType({"failing_since": None, "noticed": 0, "rests_until": None})
_TYPES = sorted(event.full_type() for event in CATALOG.values())


def check(url: str, patterns: Sequence[str], *, local: bool) -> None:
    """An endpoint may be kept like this. Raises Invalid."""
    errors = outside.refusals(url, local=local)
    for index, pattern in enumerate(patterns):
        if not types_like(pattern):
            errors.append(FieldError(f"/event_types/{index}", "no_such_type", "No event type is like this."))
    if errors:
        raise Invalid(errors)


def types_like(pattern: str) -> list[str]:
    """The event types that the glob lets through; none where it can only be a mistake."""
    return fnmatch.filter(_TYPES, pattern)


async def create(
    tx: Transaction, *, url: str, event_types: Sequence[str], description: str, practice_id: str | None
) -> tuple[Row, str]:
    """A new endpoint, and its secret, which is shown this once."""
    endpoint_id, secret = new_id("whe"), signatures.new_secret()
    await tx.execute(
        tables.endpoint.insert().values(
            id=endpoint_id,
            tenant_id=tx.tenant,
            practice_id=practice_id,
            url=url,
            description=description,
            event_types=list(event_types),
            secrets_sealed=[seal(tx, endpoint_id, secret)],
            status="active",
            created_at=tx.now,
        )
    )
    return await load(tx, endpoint_id), secret


def shown(tx: Transaction) -> sa.Select[Any]:
    """The endpoints of which the caller may know; those that hear of every practice, only who may see all."""
    return sa.select(tables.endpoint).where(tx.of_a_practice(tables.endpoint.c.practice_id))


async def load(tx: Transaction, endpoint_id: str) -> Row:
    """The endpoint. Raises NotFound."""
    row = await tx.first(shown(tx).where(tables.endpoint.c.id == endpoint_id))
    if row is None:
        raise NotFound
    return row


async def change(tx: Transaction, endpoint: Row, values: Mapping[str, Any]) -> Row:
    """The endpoint has these values; one that is well again, or has moved, gets at once all that waited for it."""
    done = await tx.execute(
        tables.endpoint.update()
        .where(tables.endpoint.c.id == endpoint["id"], tables.endpoint.c.version == endpoint["version"])
        .values(**values, version=endpoint["version"] + 1)
    )
    if done.rowcount != 1:
        raise Stale(endpoint["id"])
    if HEALTHY.items() <= values.items():
        await tx.execute(_AT_ONCE, {"endpoint": endpoint["id"], "now": tx.now})
        await timers.set(tx, DELIVER, endpoint["id"], at=tx.now)
    return await load(tx, endpoint["id"])


async def rotate(tx: Transaction, endpoint: Row) -> tuple[Row, str]:
    """A new secret signs beside the one before it, until the next rotation."""
    secret = signatures.new_secret()
    kept = [seal(tx, endpoint["id"], secret), *endpoint["secrets_sealed"][:1]]
    return await change(tx, endpoint, {"secrets_sealed": kept}), secret


async def close_notices(tx: Transaction, endpoint_id: str, outcome: str) -> None:
    """Nobody needs to look at how the endpoint was; if it fails from now on there is a notice again."""
    for reason in ("webhook_failing", "webhook_disabled"):
        await tasks.close(tx, reason=reason, subject_id=endpoint_id, outcome=outcome)


async def listening(tx: Transaction, event_type: str, practice_id: str | None) -> list[Row]:
    """The active endpoints that want this type, of this practice or of all."""
    if _ACTIVE not in tx.known:
        tx.known[_ACTIVE] = await tx.all(sa.select(tables.endpoint).where(tables.endpoint.c.status == "active"))
    return [row for row in tx.known[_ACTIVE] if hears(row, practice_id) and wants(row["event_types"], event_type)]


def hears(endpoint: Row, practice_id: str | None) -> bool:
    """Whether events of this practice are for the endpoint."""
    return endpoint["practice_id"] in (None, practice_id)


def wants(patterns: Sequence[str], event_type: str) -> bool:
    """Whether one of the globs lets the type through."""
    return any(fnmatch.fnmatchcase(event_type, pattern) for pattern in patterns)


async def owe(tx: Transaction, endpoint: Row, *, message_id: str, event_id: str | None, event_type: str) -> str | None:
    """A message is to be delivered once the endpoint has rested; its id, or None where it is owed or done already."""
    delivery_id = new_id("dlv")
    done = await tx.execute(
        _OWE,
        {
            "id": delivery_id,
            "tenant": tx.tenant,
            "endpoint": endpoint["id"],
            "event": event_id,
            "message": message_id,
            "type": event_type,
            "now": tx.now,
        },
    )
    if done.rowcount == 0:
        return None
    await timers.set(tx, DELIVER, endpoint["id"], at=max(tx.now, endpoint["rests_until"] or tx.now))
    return delivery_id


def seal(tx: Transaction, endpoint_id: str, secret: str) -> str:
    assert tx.keyring is not None, "secrets need a key ring"
    return tx.keyring.seal(tx.tenant, secret.encode(), f"endpoint/{endpoint_id}")


_AT_ONCE = sa.text(
    "update delivery set next_at = :now where endpoint_id = :endpoint and status = 'pending' and next_at > :now"
)
_OWE = sa.text(
    "insert into delivery (id, tenant_id, endpoint_id, event_id, message_id, type, next_at, created_at) "
    "values (:id, :tenant, :endpoint, cast(:event as uuid), :message, :type, :now, :now) "
    "on conflict (endpoint_id, message_id) do nothing"
)
