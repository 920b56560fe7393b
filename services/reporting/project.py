"""Every event is kept as it came, and its rows stand in the analytics tables of its topic."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa

from libs.common.crashpoints import crashpoint
from libs.common.db import Transaction
from libs.common.events import Envelope, Event
from services.reporting.facts import BY_TOPIC, Projection, Row


async def on_event(tx: Transaction, event: Envelope[Event]) -> int:
    """The record is in the archive, and the tables of its topic show it unless something newer stands there.

    Returns how many endpoints are active, so that whoever delivers need not ask: one round trip does all of it.
    """
    found = await tx.scalar(
        _take(event.topic),
        {
            "event_id": event.id,
            "tenant": event.tenantid,
            "practice": getattr(event.data, "practice_id", None),
            "type": event.type,
            "subject": event.subject,
            "at": event.time,
            "value": event.raw,
            **{f"rows{n}": orjson.dumps(rows_of(one, [event])).decode() for n, one in enumerate(BY_TOPIC[event.topic])},
        },
    )
    crashpoint("projection.written")
    return int(found)


@cache
def _take(topic: str) -> sa.TextClause:
    """The statement that keeps a record, shows its rows, and counts the endpoints that listen."""
    shown = [f"shown{n} as ({upsert(one, f'rows{n}')})" for n, one in enumerate(BY_TOPIC[topic])]
    return sa.text(
        "with kept as ("
        "insert into reporting.record (event_id, tenant_id, practice_id, type, subject, at, value) "
        "values (cast(:event_id as uuid), :tenant, :practice, :type, :subject, :at, :value) "
        f"on conflict (event_id) do nothing), {', '.join(shown)} "
        "select count(*) from reporting.endpoint where status = 'active'"
    )


def upsert(projection: Projection, parameter: str, table: str | None = None) -> str:
    """The statement that writes rows (a JSON array, each key once) where they are newer than what stands."""
    columns = _columns(projection)
    changed = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in projection.keys)
    target = table or f"reporting.{projection.table}"
    return (
        f"insert into {target} as known ({', '.join(columns)}) "
        f"select {', '.join(columns)} from jsonb_populate_recordset(null::{target}, cast(:{parameter} as jsonb)) "
        f"on conflict ({', '.join(projection.keys)}) do update set {changed} "
        "where excluded.ordinal > known.ordinal"
    )


def rows_of(projection: Projection, events: Iterable[Envelope[Event]]) -> list[Row]:
    """What the events make of the table, one row for each key, the newest: what a single statement may write."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in map(projection.row, filter(projection.only, events)):
        key = tuple(row[name] for name in projection.keys)
        if key not in found or row["ordinal"] > found[key]["ordinal"]:
            found[key] = row
    return list(found.values())


def _columns(projection: Projection) -> tuple[str, ...]:
    own = (*projection.fields, *projection.columns)
    source = ("source",) if projection.source_in_key else ()
    return tuple(dict.fromkeys(("tenant_id", *source, *own, "event_id", "ordinal")))
