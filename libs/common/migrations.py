"""Schemas: an alembic history for each service, run by its owner role under one advisory lock."""

from pathlib import Path
from typing import Any

import alembic.command
import sqlalchemy as sa
from alembic import context, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.util import await_only

from libs.common.db import connect

_KERNEL = (Path(__file__).parent / "kernel.sql").read_text()
_LOCK = sa.text("select pg_advisory_lock(hashtextextended('parity/migrate', 0))")


def run_sql(script: str) -> None:
    """In a migration: the whole script has run, many statements at once."""
    driver: Any = op.get_bind().connection.driver_connection
    await_only(driver.execute(script))


def kernel_tables(schema: str) -> None:
    """In a migration: the schema has the kernel's tables, each with the least its roles need."""
    run_sql(_KERNEL.format(schema=schema))
    for table in ("timer", "idempotency", "clearinghouse_account"):
        protect(schema, table)
    for table in ("task", "audit", "inbound_source", "inbound_message"):
        protect(schema, table, practice=True)
    for table in ("timer", "inbound_source"):
        run_sql(f'create policy owner on "{schema}".{table} for select to "{schema}_owner" using (true);')
    append_only(schema, "audit")


def protect(schema: str, table: str, *, practice: bool = False) -> None:
    """In a migration: rows of `table` are seen and written only by their tenant, and by practice where asked.

    The table has `tenant_id`, and `practice_id` (NULL: of no single practice) where `practice` is true.
    """
    run_sql(f"""
        alter table "{schema}"."{table}" enable row level security;
        alter table "{schema}"."{table}" force row level security;
        create policy tenant on "{schema}"."{table}" to "{schema}_api", "{schema}_worker"
            using (tenant_id = current_setting('parity.tenant_id', true) and tenant_id <> '')
            with check (tenant_id = current_setting('parity.tenant_id', true) and tenant_id <> '');
        grant select, insert, update, delete on "{schema}"."{table}" to "{schema}_api", "{schema}_worker";
    """)
    if practice:
        run_sql(f"""
            create policy practice on "{schema}"."{table}" as restrictive to "{schema}_api", "{schema}_worker"
                using (
                    practice_id is null
                    or current_setting('parity.practice_ids', true) = '*'
                    or practice_id = any(string_to_array(current_setting('parity.practice_ids', true), ','))
                );
        """)


def append_only(schema: str, table: str) -> None:
    """In a migration: rows of `table` can be written once and never changed or taken away."""
    run_sql(f'revoke update, delete, truncate on "{schema}"."{table}" from "{schema}_api", "{schema}_worker";')


def _config(directory: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(directory))
    config.set_main_option("path_separator", "os")
    return config


def head(directory: Path) -> str:
    """The newest revision of a history."""
    revision = ScriptDirectory.from_config(_config(directory)).get_current_head()
    assert revision is not None, f"{directory} has no migration"
    return revision


async def upgrade(owner_url: str, schema: str, directory: Path) -> None:
    """The schema is at the head of its history; a second process doing the same waits for the first."""
    engine = connect(owner_url, service=schema, pool=1)
    try:
        async with engine.connect() as connection:
            await connection.execute(_LOCK)
            await connection.commit()

            def run(sync: sa.Connection) -> None:
                config = _config(directory)
                config.attributes["connection"] = sync
                config.attributes["schema"] = schema
                alembic.command.upgrade(config, "head")

            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


def run_environment() -> None:
    """What every history's `env.py` calls: migrate on the connection that `upgrade` opened."""
    config = context.config
    connection, schema = config.attributes["connection"], config.attributes["schema"]
    context.configure(connection=connection, version_table_schema=schema, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
    _grant_version(connection, schema)


def _grant_version(connection: sa.Connection, schema: str) -> None:
    connection.execute(sa.text(f'grant select on "{schema}".alembic_version to "{schema}_api", "{schema}_worker"'))
