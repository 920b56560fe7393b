"""Every event is kept as it came, and its rows stand in the analytics tables of its topic."""

from functools import cache

import orjson
import sqlalchemy as sa

from libs.common.crashpoints import crashpoint
from libs.common.db import Transaction
from libs.common.events import Envelope, Event
from services.reporting.facts import BY_TOPIC, TABLES, Projection


async def on_event(tx: Transaction, event: Envelope[Event]) -> None:
    """The record is in the archive, and the tables of its topic show it unless something newer stands there.

    All that a transaction takes is written together, in one round trip.
    """
    tx.later_row(
        _KEEP,
        {
            "ids": event.id,
            "tenants": event.tenantid,
            "practices": getattr(event.data, "practice_id", None),
            "types": event.type,
            "subjects": event.subject,
            "times": event.time,
            "values": event.raw,
        },
    )
    for projection in BY_TOPIC[event.topic]:
        if projection.only(event):
            tx.later_row(_show(projection.table), {"rows": orjson.dumps(projection.row(event)).decode()})
    crashpoint("projection.written")


_KEEP = sa.text(
    "insert into reporting.record (event_id, tenant_id, practice_id, type, subject, at, value) "
    "select event_id, tenant_id, practice_id, type, subject, at, value from unnest(cast(:ids as uuid[]), "
    "cast(:tenants as text[]), cast(:practices as text[]), cast(:types as text[]), cast(:subjects as text[]), "
    "cast(:times as timestamptz[]), cast(:values as bytea[])) with ordinality "
    "as r (event_id, tenant_id, practice_id, type, subject, at, value, place) order by place "
    "on conflict (event_id) do nothing"
)


@cache
def _show(table: str) -> sa.TextClause:
    return sa.text(upsert(TABLES[table]).replace("$1", ":rows"))


def upsert(projection: Projection, table: str | None = None) -> str:
    """The statement that writes rows ($1, JSON each) where they are newer than what stands, and than each other."""
    columns = ", ".join(_columns(projection))
    keys = ", ".join(projection.keys)
    changed = ", ".join(f"{c} = excluded.{c}" for c in _columns(projection) if c not in projection.keys)
    target = table or f"reporting.{projection.table}"
    return (
        f"insert into {target} as known ({columns}) select distinct on ({keys}) {columns} "
        "from unnest(cast($1 as jsonb[])) with ordinality as told (told_row, told_place) "
        f"cross join jsonb_populate_record(null::{target}, told_row) order by {keys}, ordinal desc, told_place "
        f"on conflict ({keys}) do update set {changed} where excluded.ordinal > known.ordinal"
    )


def _columns(projection: Projection) -> tuple[str, ...]:
    own = (*projection.fields, *projection.columns)
    source = ("source",) if projection.source_in_key else ()
    return tuple(dict.fromkeys(("tenant_id", *source, *own, "event_id", "ordinal")))
