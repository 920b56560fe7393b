"""The analytics tables made again from the archive alone, beside the live ones, then swapped in.

    python -m services.reporting rebuild

Consumers go on meanwhile. The last stretch, from what was read first to what has come since, is done under a lock
that keeps new records out for its length.
"""

import asyncpg
import orjson

from libs.common.events import CATALOG, Envelope, Event, read
from services.reporting.facts import BY_TOPIC, PROJECTIONS, Projection
from services.reporting.project import upsert

BATCH = 5_000
_BESIDE = "beside"


async def rebuild(owner_url: str) -> dict[str, int]:
    """The live tables are those that the archive makes; returns the rows of each."""
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            for projection in PROJECTIONS:
                await connection.execute(_create(projection))
            await connection.execute("create temp table applied (event_id uuid primary key) on commit drop")
            await _apply_archive(connection)
            await connection.execute("lock table reporting.record in exclusive mode")
            await _apply_archive(connection)
            return {projection.table: await _swap(connection, projection) for projection in PROJECTIONS}
    finally:
        await connection.close()


def _create(projection: Projection) -> str:
    return (
        f"drop table if exists reporting.{_BESIDE}_{projection.table};"
        f"create table reporting.{_BESIDE}_{projection.table} "
        f"(like reporting.{projection.table} including defaults including constraints including indexes)"
    )


async def _apply_archive(connection: asyncpg.Connection) -> None:
    """Every record not applied yet is applied; found by absence, never by a position passed."""
    while True:
        records = await connection.fetch(
            "select event_id, type, value from reporting.record r "
            "where not exists (select from applied a where a.event_id = r.event_id) order by position limit $1",
            BATCH,
        )
        if not records:
            return
        events: dict[str, list[Envelope[Event]]] = {}
        for record in records:
            topic = record["type"].rpartition(".v")[0]
            events.setdefault(topic, []).append(read(record["value"], CATALOG[topic]))
        for topic, found in events.items():
            for projection in BY_TOPIC[topic]:
                rows = map(projection.row, filter(projection.only, found))
                await connection.execute(
                    upsert(projection, f"reporting.{_BESIDE}_{projection.table}"),
                    [orjson.dumps(row).decode() for row in rows],
                )
        await connection.execute(
            "insert into applied select unnest($1::uuid[])", [record["event_id"] for record in records]
        )


async def _swap(connection: asyncpg.Connection, projection: Projection) -> int:
    """The new table stands where the old one stood, with its policies, rights and index names."""
    live, fresh = projection.table, f"{_BESIDE}_{projection.table}"
    rows = await connection.fetchval(f"select count(*) from reporting.{fresh}")
    names = await connection.fetch(
        "select n.indexname as old, f.indexname as new from pg_indexes n join pg_indexes f "
        "on f.schemaname = 'reporting' and f.tablename = $2 "
        "and replace(substring(f.indexdef from ' USING .*'), $2, $1) = substring(n.indexdef from ' USING .*') "
        "where n.schemaname = 'reporting' and n.tablename = $1",
        live,
        fresh,
    )
    policies = await connection.fetch(
        "select policyname, permissive, roles, qual, with_check from pg_policies "
        "where schemaname = 'reporting' and tablename = $1",
        live,
    )
    await connection.execute(
        f"alter table reporting.{fresh} enable row level security;"
        f"alter table reporting.{fresh} force row level security;"
        f"grant select, insert, update, delete on reporting.{fresh} to reporting_api, reporting_worker"
    )
    for policy in policies:
        check = f" with check ({policy['with_check']})" if policy["with_check"] else ""
        await connection.execute(
            f'create policy "{policy["policyname"]}" on reporting.{fresh} as {policy["permissive"]} '
            f"to {', '.join(policy['roles'])} using ({policy['qual']}){check}"
        )
    await connection.execute(f"drop table reporting.{live}; alter table reporting.{fresh} rename to {live}")
    for name in names:
        await connection.execute(f'alter index reporting."{name["new"]}" rename to "{name["old"]}"')
    return int(rows)
