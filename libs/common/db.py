"""Transactions: one tenant each, business time read once, committed here and nowhere else.

A `Transaction` is the only handle that steps, routes and handlers get. Row-level security reads the tenant from
`parity.tenant_id` and the practices from `parity.practice_ids`, both set in the statement that begins the work.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from libs.common import statements, traced_sql
from libs.common.clock import Clock, SystemClock
from libs.common.sealing import Keyring

Row = Mapping[str, Any]


class SecondTenant(AssertionError):
    """Our own mistake: one unit of work touched two tenants."""


class Stale(Exception):
    """Somebody else changed the row since it was read."""

    def __init__(self, subject_id: str) -> None:
        super().__init__(f"{subject_id} has changed since it was read")
        self.subject_id = subject_id


@dataclass(slots=True, eq=False)
class Transaction:
    """One unit of work of one tenant; `now` is business time, read once."""

    connection: AsyncConnection
    service: str
    actor: str
    keyring: Keyring | None
    now: datetime
    tenant_id: str | None = None
    practice_ids: frozenset[str] | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    request_id: str | None = None
    opens_sealed: bool = True
    """Whether handlers see the sealed part of events."""
    wakes: set[str] = field(default_factory=set)
    """Channels to notify after the commit."""

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def tenant(self) -> str:
        """The tenant, which must have been set."""
        assert self.tenant_id is not None, "this unit of work has no tenant"
        return self.tenant_id

    async def set_tenant(self, tenant_id: str, practice_ids: Iterable[str] | None = None) -> None:
        """Row-level security lets through this tenant's rows only; a second tenant is refused."""
        if self.tenant_id is not None and self.tenant_id != tenant_id:
            raise SecondTenant(self.service)
        self.tenant_id = tenant_id
        self.practice_ids = None if practice_ids is None else frozenset(practice_ids)
        await self.execute(_SET_TENANT, {"tenant": tenant_id, "practices": _practices(self.practice_ids)})

    async def execute(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> sa.CursorResult[Any] | statements.Done:
        """The statement has run; of a write, `rowcount` says what became of it."""
        planned = self._planned(statement, parameters)
        if planned is not None and planned[0].writes:
            return await statements.write(self._driver, *planned)
        result = await self.connection.execute(statement, parameters)
        assert isinstance(result, sa.CursorResult)
        return result

    async def all(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row]:
        planned = self._planned(statement, parameters)
        if planned is not None:
            return await statements.fetch(self._driver, *planned)
        return [dict(row) for row in (await self.connection.execute(statement, parameters)).mappings()]

    async def first(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Row | None:
        rows = await self.all(statement, parameters)
        return rows[0] if rows else None

    async def one(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Row:
        rows = await self.all(statement, parameters)
        if len(rows) != 1:
            raise sa.exc.NoResultFound("no row") if not rows else sa.exc.MultipleResultsFound("more than one row")
        return rows[0]

    async def scalar(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        row = await self.first(statement, parameters)
        return None if row is None else next(iter(row.values()))

    def _planned(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
    ) -> tuple[statements.Plan, list[Any]] | None:
        if parameters is not None and not isinstance(parameters, Mapping):
            return None
        engine = self.connection.engine.sync_engine
        return statements.prepare(engine.dialect, engine._compiled_cache, statement, parameters)

    @property
    def _driver(self) -> asyncpg.Connection:
        connection = self.connection.sync_connection
        assert connection is not None
        found = connection.connection.driver_connection
        assert found is not None
        return found

    async def driver(self) -> asyncpg.Connection:
        """The asyncpg connection under this transaction, for hot paths; its work commits with the rest."""
        return self._driver


_SET_TENANT = sa.text(
    "select set_config('parity.tenant_id', :tenant, true), set_config('parity.practice_ids', :practices, true)"
)


def _practices(practice_ids: frozenset[str] | None) -> str:
    """`*` for all practices, else their ids between commas; no practice at all matches nothing."""
    return "*" if practice_ids is None else ",".join(sorted(practice_ids))


class Database:
    """The connections of one process to one schema, in one role."""

    def __init__(
        self,
        url: str,
        *,
        service: str,
        clock: Clock | None = None,
        keyring: Keyring | None = None,
        opens_sealed: bool = True,
        pool: int = 10,
    ) -> None:
        self.service = service
        self.keyring = keyring
        self.opens_sealed = opens_sealed
        self.clock = clock or SystemClock()
        self.url = url
        self.engine = connect(url, service=service, pool=pool)
        self._begin = sa.text(
            "select set_config('parity.tenant_id', :tenant, true), "
            f"set_config('parity.practice_ids', :practices, true), {self.clock.expression} as now"
        )
        self._wakes: set[str] = set()
        self._waker: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def transaction(
        self,
        tenant_id: str | None = None,
        *,
        practice_ids: Iterable[str] | None = None,
        actor: str = "worker",
        correlation_id: str | None = None,
        request_id: str | None = None,
    ) -> AsyncIterator[Transaction]:
        """One unit of work: committed when the block ends, rolled back when it raises."""
        practices = None if practice_ids is None else frozenset(practice_ids)
        async with self.engine.begin() as connection:
            begun = await connection.execute(
                self._begin, {"tenant": tenant_id or "", "practices": _practices(practices)}
            )
            tx = Transaction(
                connection=connection,
                service=self.service,
                actor=actor,
                keyring=self.keyring,
                opens_sealed=self.opens_sealed,
                now=begun.one().now,
                tenant_id=tenant_id,
                practice_ids=practices,
                correlation_id=correlation_id,
                request_id=request_id,
            )
            yield tx
        if tx.wakes:
            self._wake(tx.wakes)

    def _wake(self, channels: set[str]) -> None:
        """Notify after the commit, many commits with one statement; losing it costs a poll interval at most."""
        self._wakes |= channels
        if self._waker is None or self._waker.done():
            self._waker = asyncio.create_task(self._notify(), name="wake")

    async def _notify(self) -> None:
        while self._wakes:
            channels, self._wakes = sorted(self._wakes), set()
            try:
                async with self.engine.begin() as connection:
                    await connection.execute(
                        sa.text("select pg_notify(c, '') from unnest(cast(:channels as text[])) c"),
                        {"channels": channels},
                    )
            except (sa.exc.DBAPIError, OSError):
                return  # the readers' polling finds the work
            await asyncio.sleep(0.002)

    async def close(self) -> None:
        if self._waker is not None:
            self._waker.cancel()
        await self.engine.dispose()


def connect(url: str, *, service: str, pool: int = 10) -> AsyncEngine:
    """An engine over asyncpg for a `postgresql://` URL; JSON columns are read and written with orjson."""
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=pool,
        max_overflow=pool,
        pool_timeout=10,
        pool_pre_ping=False,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "statement_cache_size": 500,
            "max_cached_statement_lifetime": 0,
            "server_settings": {
                "application_name": f"parity-{service}",
                "search_path": service,
                "timezone": "UTC",
                # A process that was stopped within its transaction must not hold up the one that took over its work.
                "idle_in_transaction_session_timeout": "60000",
            },
        },
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    traced_sql.watch(engine.sync_engine)
    return engine
