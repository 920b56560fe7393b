"""Schemas: the kernel's history and then the service's own, run by its owner role under one advisory lock.

A released revision is never edited: what changes in the kernel's tables or functions is a revision of its own under
`kernel/versions/`, which every service's `migrate` runs.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import alembic.command
import sqlalchemy as sa
from alembic import context, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only

KERNEL: Final = Path(__file__).parent / "kernel"
_LOCK = sa.text("select pg_advisory_lock(hashtextextended('parity/migrate', 0))")


def run_sql(script: str) -> None:
    """In a migration: the whole script has run, many statements at once."""
    driver: Any = op.get_bind().connection.driver_connection
    await_only(driver.execute(script))


def schema() -> str:
    """In a migration: the schema that is migrated."""
    return str(context.config.attributes["schema"])


def run_kernel_sql(script: str) -> None:
    """In a migration of the kernel: the script has run, with the schema wherever it says `{schema}`."""
    run_sql(script.format(schema=schema()))


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


@cache
def _revisions(directory: Path) -> tuple[str, frozenset[str]]:
    """The newest revision of a history, and all of them."""
    script = ScriptDirectory.from_config(_config(directory))
    newest = script.get_current_head()
    assert newest is not None, f"{directory} has no migration"
    return newest, frozenset(one.revision for one in script.walk_revisions())


def lacks(directory: Path, at: str | None) -> bool:
    """Whether a schema that stands at revision `at` of a history lacks something that this release needs.

    One that a newer release has migrated further stands at a revision that nobody here knows, and lacks nothing.
    """
    newest, known = _revisions(directory)
    return at is None or (at in known and at != newest)


async def upgrade(owner_url: str, schema: str, directory: Path | None = None) -> None:
    """The schema is at the head of the kernel's history, and of the service's own where `directory` names it.

    A second process doing the same waits for the first.
    """
    engine = create_async_engine(
        owner_url.replace("postgresql://", "postgresql+asyncpg://", 1),
        hide_parameters=True,
        connect_args={"server_settings": {"application_name": f"parity-{schema}-migrate", "search_path": schema}},
    )
    try:
        async with engine.connect() as connection:
            await connection.execute(_LOCK)
            await connection.commit()

            def run(sync: sa.Connection) -> None:
                kernel = _history(sync, schema, KERNEL, "kernel_version")
                if sync.scalar(_BEFORE_VERSIONS, {"schema": schema}):
                    alembic.command.stamp(kernel, "0001")
                alembic.command.upgrade(kernel, "head")
                if directory is not None:
                    alembic.command.upgrade(_history(sync, schema, directory, "alembic_version"), "head")

            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


_BEFORE_VERSIONS = sa.text(
    "select to_regclass(quote_ident(:schema) || '.outbox') is not null "
    "and to_regclass(quote_ident(:schema) || '.kernel_version') is null"
)
"""Whether the kernel's tables were laid by a release that kept no note of their revision."""


def _history(connection: sa.Connection, schema: str, directory: Path, version_table: str) -> Config:
    config = _config(directory)
    config.attributes.update(connection=connection, schema=schema, version_table=version_table)
    return config


def run_environment() -> None:
    """What every history's `env.py` calls: migrate on the connection that `upgrade` opened."""
    attributes = context.config.attributes
    connection, table = attributes["connection"], attributes["version_table"]
    context.configure(
        connection=connection, version_table=table, version_table_schema=schema(), transaction_per_migration=False
    )
    with context.begin_transaction():
        context.run_migrations()
    for right in ("revoke all on {} from {}", "grant select on {} to {}"):
        connection.execute(sa.text(right.format(f'"{schema()}"."{table}"', f'"{schema()}_api", "{schema()}_worker"')))
