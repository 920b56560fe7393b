"""A unit of work sees one tenant, reads business time once, and is committed as a whole."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from libs.common import audit, timers
from libs.common.db import Database, SecondTenant
from tests.conftest import TestDatabase

SET_CLOCK = "update platform.clock set stands_at = '2026-10-05T15:00:00Z'"


async def as_admin(database: TestDatabase, statement: str) -> None:
    connection = await asyncpg.connect(database.admin_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_business_time_stands_where_the_platform_clock_stands(fresh_database: TestDatabase) -> None:
    await as_admin(fresh_database, SET_CLOCK)
    async with fresh_database.open("reporting").transaction("tnt_a") as tx:
        assert tx.now == datetime(2026, 10, 5, 15, tzinfo=UTC)


async def test_a_second_tenant_in_one_unit_of_work_is_refused(fresh_database: TestDatabase) -> None:
    async with fresh_database.open("reporting").transaction("tnt_a") as tx:
        with pytest.raises(SecondTenant):
            await tx.set_tenant("tnt_b")


async def test_a_tenant_never_sees_the_timers_of_another(fresh_database: TestDatabase) -> None:
    database = fresh_database.open("reporting")
    async with database.transaction("tnt_a") as tx:
        await timers.set(tx, "reporting.test", "x_1", at=tx.now)
    async with database.transaction("tnt_b") as tx:
        assert await tx.scalar(sa.text("select count(*) from timer")) == 0
    async with database.transaction() as tx:
        assert await tx.scalar(sa.text("select count(*) from timer")) == 0
        assert await timers.count_due(tx) == 1


@pytest.mark.parametrize("role", ["api", "worker"])
async def test_no_service_role_can_switch_row_level_security_off(fresh_database: TestDatabase, role: str) -> None:
    connection = await asyncpg.connect(fresh_database.url("reporting", role))  # type: ignore[arg-type]
    try:
        for attempt in (
            "alter table reporting.task disable row level security",
            "alter table reporting.task no force row level security",
            "drop policy tenant on reporting.task",
            "set role reporting_owner",
            f"alter role reporting_{role} bypassrls",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(attempt)
        await connection.execute("set row_security = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("select * from reporting.task")
    finally:
        await connection.close()


async def test_a_role_cannot_read_another_services_schema(fresh_database: TestDatabase) -> None:
    connection = await asyncpg.connect(fresh_database.url("reporting", "worker"))
    try:
        for attempt in (
            "select * from claims.outbox",
            "select * from credentialing.task",
            "select * from log.record",
            "create table public.mine (x int)",
            "update platform.clock set stands_at = now()",
        ):
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.execute(attempt)
            assert isinstance(refused.value, asyncpg.InsufficientPrivilegeError | asyncpg.UndefinedTableError), attempt
    finally:
        await connection.close()


async def test_the_audit_trail_can_only_grow(fresh_database: TestDatabase) -> None:
    connection = await asyncpg.connect(fresh_database.url("reporting", "api"))
    try:
        for attempt in ("update reporting.audit set actor = 'x'", "delete from reporting.audit"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(attempt)
    finally:
        await connection.close()


async def test_what_is_written_in_portions_while_more_is_made_stands_whole(
    fresh_database: TestDatabase,
) -> None:
    database = fresh_database.open("reporting")
    await _work(database)
    async with database.transaction("tnt_a") as tx:
        rows = await tx.all(sa.text("select subject_id from audit"))
        assert sorted(row["subject_id"] for row in rows) == sorted(f"x_{n}" for n in range(2500))
    await database.close()


@pytest.mark.parametrize("broken_off_by", [RuntimeError, asyncio.CancelledError])
async def test_what_is_being_written_when_the_work_breaks_off_is_undone_with_it(
    fresh_database: TestDatabase, broken_off_by: type[BaseException]
) -> None:
    database = fresh_database.open("reporting")
    with pytest.raises(broken_off_by):
        await _work(database, then=broken_off_by)
    async with database.transaction("tnt_a") as tx:
        assert await tx.scalar(sa.text("select count(*) from audit")) == 0
    await database.close()


async def test_a_portion_that_cannot_be_written_undoes_the_work(fresh_database: TestDatabase) -> None:
    database = fresh_database.open("reporting")
    with pytest.raises(sa.exc.IntegrityError):
        await _work(database, first=None)
    async with database.transaction("tnt_a") as tx:
        assert await tx.scalar(sa.text("select count(*) from audit")) == 0
    await database.close()


async def _work(
    database: Database, *, first: str | None = "reporting.test", then: type[BaseException] | None = None
) -> None:
    async with database.transaction("tnt_a") as tx:
        for number in range(2500):
            action: Any = "reporting.test" if number else first
            await audit.record(tx, action=action, subject_type="x", subject_id=f"x_{number}", practice_id=None)
            await tx.meanwhile()
        assert len(tx._waiting) < 2500, "it was written in portions"
        if then is not None:
            raise then
