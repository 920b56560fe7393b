"""Transactions: one tenant each, business time read once, committed here and nowhere else.

A `Transaction` is the only handle that steps, routes and handlers get. Row-level security reads the tenant from
`parity.tenant_id` and the practices from `parity.practice_ids`, both set in the statement that begins the work.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import asyncpg
import sqlalchemy as sa

from libs.common import statements
from libs.common.clock import Clock, SystemClock
from libs.common.connections import Pool
from libs.common.problems import PRACTICE_FORBIDDEN, Forbidden
from libs.common.sealing import Keyring

Row = Mapping[str, Any]

FEW = 40
"""So many writes go in one statement at most."""
PORTION = 1000
"""So many writes of a long piece of work are written while it goes on."""


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

    connection: asyncpg.Connection
    database: "Database"
    actor: str
    begun: Sequence[Row]
    """What the statement that began the work brought, a row for each key that it began with."""
    tenant_id: str | None = None
    practice_ids: frozenset[str] | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    request_id: str | None = None
    wakes: set[str] = field(default_factory=set)
    """Channels to notify after the commit."""
    known: dict[Any, Any] = field(default_factory=dict)
    """What has been read and holds for this unit of work."""
    _waiting: list[statements.Waiting] = field(default_factory=list)
    _rows: dict[sa.Executable, tuple[dict[str, list[Any]], Exception | None]] = field(default_factory=dict)
    _beside: asyncio.Task[None] | None = None

    @property
    def service(self) -> str:
        return self.database.service

    @property
    def keyring(self) -> Keyring | None:
        return self.database.keyring

    @property
    def opens_sealed(self) -> bool:
        """Whether handlers see the sealed part of events."""
        return self.database.opens_sealed

    @property
    def now(self) -> datetime:
        """Business time, read once."""
        found: datetime = self.begun[0]["now"]
        return found

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def tenant(self) -> str:
        """The tenant, which must have been set."""
        assert self.tenant_id is not None, "this unit of work has no tenant"
        return self.tenant_id

    def of_a_practice(self, practice_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """For `where`: what is of no practice, or of all, is shown only to who may see them all."""
        return sa.true() if self.practice_ids is None else practice_id.is_not(None)

    def must_reach(self, practice_id: str | None) -> None:
        """What is of this practice, or of none and so of all, is the caller's to change. Raises Forbidden."""
        if self.practice_ids is not None and practice_id not in self.practice_ids:
            words = "This is all practices'." if practice_id is None else "This is another practice's."
            raise Forbidden(f"{words} You may see some practices only.", code=PRACTICE_FORBIDDEN)

    async def set_tenant(self, tenant_id: str, practice_ids: Iterable[str] | None = None) -> None:
        """Row-level security lets through this tenant's rows only; a second tenant is refused."""
        if self.tenant_id is not None and self.tenant_id != tenant_id:
            raise SecondTenant(self.service)
        self.tenant_id = tenant_id
        self.practice_ids = None if practice_ids is None else frozenset(practice_ids)
        await self.execute(_SET_TENANT, {"tenant": tenant_id, "practices": _practices(self.practice_ids)})

    async def execute(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> statements.Done:
        """The statement has run, for each row of parameters; `rowcount` says what became of a write."""
        await self.settle()
        if parameters is None or isinstance(parameters, Mapping):
            return await statements.write(self.connection, *statements.prepare(statement, parameters))
        if not parameters:
            return statements.Done(0)
        prepared = [statements.prepare(statement, row) for row in parameters]
        return await statements.write_each(self.connection, prepared[0][0], [arguments for _, arguments in prepared])

    async def all(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row]:
        await self.settle()
        return await statements.fetch(self.connection, *statements.prepare(statement, parameters))

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

    def later(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None, *, missed: Exception | None = None
    ) -> statements.Waiting:
        """The write will have been done before anything else is asked, or by the commit; then `missed` is raised if
        it met no row. What waits goes in one round trip.

        For what nobody else can be at: a new row, or one that is locked. A compare-and-set is not left for later, for
        the events that tell of it are written with whatever waits.
        """
        self._waiting.append(statements.Waiting(*statements.planned(statement, parameters), missed))
        return self._waiting[-1]

    def later_row(self, statement: sa.Executable, row: Mapping[str, Any], *, missed: Exception | None = None) -> None:
        """As `later`, of a statement whose parameters are arrays: one more row for it.

        `missed` is raised if any of the rows was not written.
        """
        known = self._rows.get(statement)
        if known is None:
            known = self._rows[statement] = ({name: [] for name in row}, missed)
        rows, _ = known
        for name, value in row.items():
            rows[name].append(value)

    async def settle(self) -> None:
        """What was left for later is done."""
        if self._beside is not None:
            await self._joined()
        while self._waiting or self._rows:
            self._gather()
            await self._write(self._taken())

    async def meanwhile(self, least: int = PORTION) -> None:
        """For a long piece of work, between its parts: a good portion of what waits is written while the next ones are
        made, and other work of this process has its turn."""
        if self._beside is not None and self._beside.done():
            await self._joined()
        if self._beside is None and len(self._waiting) >= least:
            self._gather()
            self._beside = asyncio.create_task(self._write(self._taken()), name="settle")
        await asyncio.sleep(0)

    def break_off(self) -> Awaitable[Any]:
        """Nothing more of it is written; done once what was being written beside has been broken off."""
        if self._beside is not None:
            self._beside.cancel()
        return asyncio.gather(*filter(None, [self._beside]), return_exceptions=True)

    async def _joined(self) -> None:
        assert self._beside is not None, "something is being written beside"
        await self._beside
        self._beside = None

    def _gather(self) -> None:
        for statement, (rows, missed) in self._rows.items():
            self.later(statement, rows, missed=missed).wanted = len(next(iter(rows.values())))
        self._rows = {}

    def _taken(self) -> list[statements.Waiting]:
        waiting, self._waiting = self._waiting, []
        return waiting

    async def _write(self, waiting: list[statements.Waiting]) -> None:
        """Of each table, the writes in their order, new rows of one kind as one; as few round trips as may be."""
        together: list[statements.Waiting] = []
        for alike in statements.alike(waiting):
            for one in alike if len(alike) <= FEW else ():
                if len(together) == FEW or not statements.may_go_together(one.plan, together):
                    await statements.write_together(self.connection, together)
                    together = []
                together.append(one)
            if len(alike) > FEW:
                await statements.write_together(self.connection, together)
                together = []
                await statements.write_each(self.connection, alike[0].plan, [one.arguments for one in alike])
        await statements.write_together(self.connection, together)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What is done inside is done altogether, or, when it raises, undone without the rest."""
        await self.settle()
        await statements.run(self.connection, "savepoint inner_work")
        try:
            yield
            await self.settle()
        except BaseException:
            self._waiting, self._rows, self.known = [], {}, {}
            if not self.connection.is_closed():
                await statements.run(self.connection, "rollback to savepoint inner_work; release savepoint inner_work")
            raise
        await statements.run(self.connection, "release savepoint inner_work")

    async def driver(self) -> asyncpg.Connection:
        """The asyncpg connection under this transaction, for hot paths; its work commits with the rest."""
        await self.settle()
        return self.connection


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
        self._pool = Pool(url, service=service, keep=pool)
        self._begin = sa.text(
            "select set_config('parity.tenant_id', :tenant, true), "
            f"set_config('parity.practice_ids', :practices, true), {self.clock.expression} as now"
        )
        self._begin_keyed = sa.text(
            f"select {self.clock.expression} as now, k.* from begin_keyed(:tenant, :practices, :lock, :route, :key) k"
        )
        self._begin_keyed_each = sa.text(
            f"select {self.clock.expression} as now, k.* "
            "from unnest(cast(:locks as text[]), cast(:keys as text[])) with ordinality r (lock, key, place) "
            "cross join lateral begin_keyed(:tenant, :practices, r.lock, :route, r.key) k order by r.place"
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
        keyed: tuple[str, Sequence[str]] | None = None,
    ) -> AsyncIterator[Transaction]:
        """One unit of work: committed when the block ends, rolled back when it raises.

        `keyed` by a route and its callers' keys, the work begins with each key locked and looked up (`idempotency`).
        """
        practices = None if practice_ids is None else frozenset(practice_ids)
        connection = await self._pool.take()
        tx = None
        try:
            await statements.run(connection, "begin")
            begun = await statements.fetch(connection, *self._beginning(tenant_id or "", practices, keyed))
            tx = Transaction(
                connection=connection,
                database=self,
                actor=actor,
                begun=begun,
                tenant_id=tenant_id,
                practice_ids=practices,
                correlation_id=correlation_id,
                request_id=request_id,
            )
            yield tx
            await tx.settle()
            await _commit(connection)
        except Exception:
            if tx is not None:
                await tx.break_off()
            await _roll_back(connection)
            raise
        except BaseException:  # stopped in the middle of whatever it was at
            if tx is not None:
                tx.break_off()
            connection.terminate()
            raise
        finally:
            self._pool.give_back(connection)
        if tx.wakes:
            self._wake(tx.wakes)

    def _beginning(
        self, tenant_id: str, practices: frozenset[str] | None, keyed: tuple[str, Sequence[str]] | None
    ) -> tuple[statements.Plan, list[Any]]:
        given = {"tenant": tenant_id, "practices": _practices(practices)}
        if keyed is None:
            return statements.prepare(self._begin, given)
        route, keys = keyed
        locks = [f"{self.service}/{tenant_id}/{route}/{key}" for key in keys]
        if len(keys) == 1:
            return statements.prepare(self._begin_keyed, {**given, "lock": locks[0], "route": route, "key": keys[0]})
        return statements.prepare(self._begin_keyed_each, {**given, "locks": locks, "route": route, "keys": list(keys)})

    def _wake(self, channels: set[str]) -> None:
        """Notify after the commit, many commits with one statement; losing it costs a poll interval at most."""
        self._wakes |= channels
        if self._waker is None or self._waker.done():
            self._waker = asyncio.create_task(self._notify(), name="wake")

    async def _notify(self) -> None:
        while self._wakes:
            channels, self._wakes = sorted(self._wakes), set()
            try:
                connection = await self._pool.take()
                try:
                    await statements.run(connection, _NOTIFY, channels)
                finally:
                    self._pool.give_back(connection)
            except (sa.exc.DBAPIError, sa.exc.TimeoutError):
                return  # the readers' polling finds the work
            await asyncio.sleep(0.002)

    async def close(self) -> None:
        if self._waker is not None:
            self._waker.cancel()
        await self._pool.close()


_NOTIFY = "select set_config('synchronous_commit', 'off', true), pg_notify(c, '') from unnest($1::text[]) c"
"""Nobody is woken before the commit is done, and this one has nothing that the disk would have to keep."""


async def _commit(connection: asyncpg.Connection) -> None:
    """All of it stands. Raises where the database undid it instead, because something in it had failed."""
    if await statements.run(connection, "commit") != "COMMIT":
        raise sa.exc.InvalidRequestError("a failed statement was passed over; nothing was committed")


async def _roll_back(connection: asyncpg.Connection) -> None:
    """Nothing of it stands; a connection that does not answer is cut off when it is given back."""
    if connection.is_in_transaction():
        with contextlib.suppress(sa.exc.DBAPIError, TimeoutError):
            async with asyncio.timeout(5):
                await statements.run(connection, "rollback")
