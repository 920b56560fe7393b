"""A database that any release made becomes, by `bootstrap` and `migrate`, what a new one is."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import Cluster
from libs.common import migrations, operators
from libs.common.bootstrap import SCHEMAS, bootstrap, ensure_database
from libs.common.db import Database
from libs.common.ids import uuid7
from services.claims.app import create_service
from tests.conftest import PASSWORDS, ROOT, TestDatabase
from tests.contracts.schemas import KEPT

RELEASES = sorted(KEPT.glob("*.sql.gz"))
SHAPE = """
    with ours as (
        select oid, nspname from pg_namespace
        where nspname not like 'pg\\_%' and nspname not in ('information_schema', 'public')
    ), relation as (
        select c.*, nspname || '.' || relname as name from pg_class c join ours on ours.oid = relnamespace
    )
    select format('relation %s %s of %s, rls %s/%s, for %s', name, relkind, pg_get_userbyid(relowner),
        relrowsecurity, relforcerowsecurity,
        (select string_agg(a::text, ' ' order by a::text) from unnest(relacl) a)) as line from relation
    union all
    select format('column %s.%s %s not null %s default %s identity %s', name, attname, format_type(atttypid, atttypmod),
        attnotnull, pg_get_expr(adbin, adrelid), attidentity)
    from relation join pg_attribute a on attrelid = relation.oid and attnum > 0 and not attisdropped
    left join pg_attrdef d on adrelid = relation.oid and adnum = attnum where relkind in ('r', 'p', 'v')
    union all
    select format('index %s', pg_get_indexdef(indexrelid)) from pg_index join relation on relation.oid = indexrelid
    union all
    select format('constraint %s on %s: %s', conname, name, pg_get_constraintdef(k.oid))
    from pg_constraint k join relation on relation.oid = conrelid where contype <> 'n'
    union all
    select format('policy %s on %s %s %s to %s using %s check %s', polname, name, polcmd, polpermissive,
        (select string_agg(r::regrole::text, ' ' order by 1) from unnest(polroles) r),
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    from pg_policy join relation on relation.oid = polrelid
    union all
    select format('trigger %s', pg_get_triggerdef(t.oid)) from pg_trigger t join relation on relation.oid = tgrelid
    where not tgisinternal
    union all
    select format('function of %s for %s: %s', pg_get_userbyid(proowner),
        (select string_agg(a::text, ' ' order by a::text) from unnest(proacl) a), pg_get_functiondef(p.oid))
    from pg_proc p join ours on ours.oid = pronamespace
    union all
    select format('schema %s of %s for %s', nspname, pg_get_userbyid(nspowner),
        (select string_agg(a::text, ' ' order by a::text) from unnest(nspacl) a))
    from pg_namespace where oid in (select oid from ours)
"""
"""Everything that a schema is made of, one line each; the order of a table's columns does not matter."""


async def shape(admin_url: str) -> set[str]:
    connection = await asyncpg.connect(admin_url)
    try:
        return {row["line"] for row in await connection.fetch(SHAPE)}
    finally:
        await connection.close()


@pytest.fixture(params=RELEASES, ids=lambda path: path.name.partition(".")[0])
async def older(
    request: pytest.FixtureRequest, template: str, cluster: Cluster, secrets: Path
) -> AsyncIterator[TestDatabase]:
    """A database as a release made it."""
    name = f"t_{uuid7().hex}"
    database = TestDatabase(await ensure_database(cluster.admin_url, name), secrets / "keyring.json", secrets)
    connection = await asyncpg.connect(database.admin_url)
    try:
        await connection.execute("set check_function_bodies = off")  # one function names what comes after it
        await connection.execute(gzip.decompress(request.param.read_bytes()).decode())
    finally:
        await connection.close()
    yield database
    await database.close()
    connection = await asyncpg.connect(cluster.admin_url)
    try:
        await connection.execute(f'drop database "{name}" with (force)')
    finally:
        await connection.close()


async def readiness(db: Database) -> bool:
    """Whether `/readyz` would say that the schema is as this release needs it."""
    found = await operators.revisions(db)
    histories = {"kernel_version": migrations.KERNEL, "alembic_version": create_service().migrations}
    return not any(migrations.lacks(history, found[table]) for table, history in histories.items())


async def test_an_older_database_becomes_what_a_new_one_is(
    older: TestDatabase, cluster: Cluster, template: str
) -> None:
    assert not await readiness(older.open("claims"))
    await bootstrap(older.admin_url, PASSWORDS)
    for _ in range(2):  # the second time changes nothing
        for schema in SCHEMAS:
            history = ROOT / "services" / schema / "migrations"
            await migrations.upgrade(older.url(schema, "owner"), schema, history)
        fresh = await shape(f"{cluster.admin_url.rpartition('/')[0]}/{template}")
        found = await shape(older.admin_url)
        assert sorted(found - fresh) == []
        assert sorted(fresh - found) == []
    assert await readiness(older.open("claims"))


async def test_a_process_of_the_last_release_is_ready_on_a_newer_schema(fresh_database: TestDatabase) -> None:
    """While a release goes out, what is old and what is new run side by side on the newer schema."""
    connection = await asyncpg.connect(fresh_database.admin_url)
    try:
        await connection.execute("update claims.kernel_version set version_num = 'of the next release'")
        await connection.execute("update claims.alembic_version set version_num = 'of the next release'")
        assert await readiness(fresh_database.open("claims"))
        await connection.execute("update claims.kernel_version set version_num = '0001'")
        assert not await readiness(fresh_database.open("claims"))
    finally:
        await connection.close()
