"""The ground that a database superuser lays once: roles, schemas, the clock, the embedded log.

    python -m libs.common.bootstrap --admin postgresql://… --passwords FILE

`FILE` is JSON, role name to password. Running it again changes nothing but the passwords.
"""

import argparse
import asyncio
import json
from pathlib import Path

import asyncpg

from libs.common.events import CATALOG, CONSUMERS, TOPICS
from libs.common.log.embedded import EmbeddedLog, Grant, ensure_log_role, install

SCHEMAS = ("credentialing", "eligibility", "claims", "remittance", "reporting", "sandbox")
ROLES = tuple(f"{schema}_{role}" for schema in SCHEMAS for role in ("owner", "api", "worker"))

_PLATFORM = """
create schema if not exists platform;
create table if not exists platform.clock (
    only_row boolean primary key default true check (only_row),
    stands_at timestamptz
);
comment on table platform.clock is 'Business time in local mode; stands_at null: the real time';
insert into platform.clock default values on conflict do nothing;
create or replace function platform.now() returns timestamptz language sql stable
    as 'select coalesce((select stands_at from platform.clock), pg_catalog.now())';
grant usage on schema platform to public;
grant select on platform.clock to public;
grant update on platform.clock to sandbox_api, sandbox_worker;
revoke create on schema public from public;
"""


def grants() -> list[Grant]:
    """Who may publish and read what in the embedded log, from the table of events."""
    found = []
    for schema in SCHEMAS:
        if schema == "sandbox":
            found.append(Grant(role="sandbox_worker"))  # its relay leads like any other and tidies the log
            continue
        produces = tuple(t for t, event in CATALOG.items() if event.producer in (schema, "every service"))
        consumes = TOPICS if schema == "reporting" else tuple(e.topic for e, by in CONSUMERS.items() if schema in by)
        found.append(Grant(role=f"{schema}_worker", groups=(schema,), produces=produces, consumes=consumes))
    return found


async def ensure_database(admin_url: str, name: str) -> str:
    """The database exists; returns its admin URL."""
    connection = await asyncpg.connect(admin_url)
    try:
        if not await connection.fetchval("select true from pg_database where datname = $1", name):
            await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    return f"{admin_url.rpartition('/')[0]}/{name}"


async def bootstrap(admin_url: str, passwords: dict[str, str]) -> None:
    """Roles, schemas, clock and log exist in the database of `admin_url`; safe to run again."""
    connection = await asyncpg.connect(admin_url)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtextextended('parity/bootstrap', 0))")
            await _ensure_roles(connection, passwords)
            for schema in SCHEMAS:
                await connection.execute(f'create schema if not exists "{schema}" authorization "{schema}_owner"')
                await connection.execute(f'grant usage on schema "{schema}" to "{schema}_api", "{schema}_worker"')
            await connection.execute(_PLATFORM)
        await install(connection, grants())
    finally:
        await connection.close()
    log = EmbeddedLog(admin_url)
    try:
        await log.create_topics(TOPICS)
    finally:
        await log.close()


async def roles(admin_url: str, passwords: dict[str, str]) -> None:
    """Every role exists on the server: what a backup of one database names and does not hold."""
    connection = await asyncpg.connect(admin_url)
    try:
        async with connection.transaction():
            await _ensure_roles(connection, passwords)
            await ensure_log_role(connection)
    finally:
        await connection.close()


async def _ensure_roles(connection: asyncpg.Connection, passwords: dict[str, str]) -> None:
    for role in ROLES:
        await _ensure_role(connection, role, passwords[role])


async def _ensure_role(connection: asyncpg.Connection, role: str, password: str) -> None:
    if not await connection.fetchval("select true from pg_roles where rolname = $1", role):
        await connection.execute(f'create role "{role}" login nosuperuser nocreatedb nocreaterole nobypassrls')
    literal = await connection.fetchval("select quote_literal($1::text)", password)
    await connection.execute(f'alter role "{role}" password {literal}')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--admin", required=True, help="URL of a superuser on the target database")
    parser.add_argument("--passwords", required=True, type=Path, help="JSON file: role name to password")
    parser.add_argument("--roles-only", action="store_true", help="what comes before the restore of a backup")
    arguments = parser.parse_args()
    lay = roles if arguments.roles_only else bootstrap
    asyncio.run(lay(arguments.admin, json.loads(arguments.passwords.read_text())))


if __name__ == "__main__":
    main()
