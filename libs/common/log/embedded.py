"""The event log in Postgres: for one machine with one database, and nothing to install but pip.

The records, groups and positions live in schema `log` (embedded.sql), owned by a role of its own. Append is
part of the caller's transaction; readers are woken by NOTIFY and look for themselves
besides, after 50 ms at first and four times a second when nothing comes.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from libs.common.log import PARTITIONS, Message, TopicPartition
from libs.common.log.embedded_consumer import EmbeddedConsumer, connected, translated

SCHEMA = Path(__file__).with_name("embedded.sql")
FOR_SERVICES = (
    "append(text[], text[], bytea[], text[])",
    "append_rows(text[], text[], bytea[], jsonb[])",
    "fetch(integer[], bigint[], integer, bigint)",
    "join_group(text, uuid, text[], interval)",
    "assignment(text, uuid)",
    "heartbeat(text, uuid, interval)",
    "leave_group(text, uuid)",
    "commit_positions(text, uuid, bigint, integer[], bigint[])",
    "lag(text, text[])",
    "trim(interval)",
)
INSTALL_LOCK = 0x70617269_6C6F67  # "parilog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a role may do with the log, once it has logged in under its own name."""

    role: str
    groups: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()


async def install(connection: asyncpg.Connection, grants: Iterable[Grant]) -> None:
    """Schema `log` is there, at this release's shape, and these roles may do exactly what their grants say.

    `connection` belongs to a superuser, or to a role that may create roles and schemas. Repeating it changes
    nothing; roles that are not named keep what they had.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", INSTALL_LOCK)
        await ensure_log_role(connection)
        await connection.execute(SCHEMA.read_text())
        for grant in grants:
            await _allow(connection, grant)


async def ensure_log_role(connection: asyncpg.Connection) -> None:
    """The role that owns the log, and that nobody logs in as, exists, and we may act as it."""
    if not await connection.fetchval("select exists (select from pg_roles where rolname = 'parity_log')"):
        await connection.execute("create role parity_log nologin")
    if not await connection.fetchval("select pg_has_role(current_user, 'parity_log', 'member')"):
        await connection.execute("grant parity_log to current_user")


async def _allow(connection: asyncpg.Connection, grant: Grant) -> None:
    role = await connection.fetchval("select quote_ident($1)", grant.role)
    await connection.execute(f"grant usage on schema log to {role}")
    for function in FOR_SERVICES:
        await connection.execute(f"grant execute on function log.{function} to {role}")
    await connection.execute("delete from log.permission where role_name = $1", grant.role)
    await connection.execute("delete from log.group_permission where role_name = $1", grant.role)
    topics = sorted({*grant.produces, *grant.consumes})
    await connection.execute(
        "insert into log.permission (role_name, topic, produces, consumes)"
        " select $1, t, t = any($3::text[]), t = any($4::text[]) from unnest($2::text[]) t",
        grant.role,
        topics,
        list(grant.produces),
        list(grant.consumes),
    )
    await connection.execute(
        "insert into log.group_permission (role_name, group_name) select $1, unnest($2::text[])",
        grant.role,
        list(grant.groups),
    )


class EmbeddedLog:
    """The log in the database behind `url`, as the role in `url` may use it."""

    def __init__(self, url: str, *, session_seconds: float = 10.0, connect_seconds: float = 5.0) -> None:
        self.url = url
        self.session_seconds = session_seconds
        self.connect_seconds = connect_seconds
        self._watch: asyncpg.Connection | None = None
        self._watching = asyncio.Lock()

    async def append(self, connection: asyncpg.Connection | None, messages: Sequence[Message]) -> None:
        assert connection is not None, "the embedded log appends inside its caller's transaction"
        if not messages:
            return
        with _within_a_transaction(connection):
            await connection.execute(
                "select log.append($1, $2, $3, $4)",
                [m.topic for m in messages],
                [m.key for m in messages],
                [m.value for m in messages],
                [json.dumps(dict(m.headers)) for m in messages],
            )

    async def move_rows(self, connection: asyncpg.Connection, ids: Sequence[int]) -> None:
        """The rows go from table to table, and never through this process.

        The commit does not wait for the disk: outbox, log and everything that a consumer makes of it stand in one
        journal, which keeps the move before it keeps anything that came of it, or forgets both.
        """
        with _within_a_transaction(connection):
            await connection.execute(_MOVE_ROWS, ids)

    def consumer(self, group: str, topics: Iterable[str]) -> EmbeddedConsumer:
        return EmbeddedConsumer(
            self.url,
            group,
            topics,
            session_seconds=self.session_seconds,
            connect_seconds=self.connect_seconds,
        )

    async def create_topics(self, topics: Iterable[str], partitions: int = PARTITIONS) -> None:
        async with connected(self.url, self.connect_seconds) as connection, connection.transaction():
            await connection.execute("select log.create_topics($1, $2)", sorted(topics), partitions)

    async def lag(self, group: str, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """Asked again and again by whoever watches the flow, so its connection is kept."""
        async with self._watching:
            with translated():
                if self._watch is None or self._watch.is_closed():
                    self._watch = await asyncpg.connect(self.url, timeout=self.connect_seconds, command_timeout=30)
                rows = await self._watch.fetch("select * from log.lag($1, $2)", group, sorted(topics))
        return {TopicPartition(row["topic"], row["number"]): row["lag"] for row in rows}

    async def trim(self, keep_days: int) -> int:
        async with connected(self.url, self.connect_seconds) as connection, connection.transaction():
            return int(await connection.fetchval("select log.trim(make_interval(days => $1))", keep_days))

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.terminate()


@contextmanager
def _within_a_transaction(connection: asyncpg.Connection) -> Iterator[None]:
    """What Postgres says of an append comes out in the words of the log."""
    assert connection.is_in_transaction(), "an append outside a transaction would tear lock, append and move apart"
    with translated():
        yield


_MOVE_ROWS = """
    with gone as (
        delete from outbox where id = any($1::bigint[]) returning *
    ), kept as (
        insert into sent (id, event_id, topic, key, tenant_id, value, headers, created_at)
        select id, event_id, topic, key, tenant_id, value, headers, created_at from gone
    )
    select set_config('synchronous_commit', 'off', true), log.append_rows(
        array_agg(topic order by id), array_agg(key order by id),
        array_agg(value order by id), array_agg(headers order by id)
    ) from gone
"""
