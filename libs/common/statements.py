"""SQLAlchemy writes the statement, asyncpg runs it: what is compiled once is kept, and what may wait goes together.

A statement that lives as long as its module (`sa.text`, an insert without values) is looked up by itself; one that is
built for each call is found in SQLAlchemy's own cache of compiled statements.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Final
from weakref import WeakKeyDictionary

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import LRUCache

Parameters = Mapping[str, Any]
Convert = Callable[[Any], Any]

_WRITES: Final = re.compile(
    r'\s*(?P<verb>insert\s+into|update|delete\s+from)\s+(?:"?\w+"?\.)?"?(?P<table>\w+)"?', re.IGNORECASE
)
_RETURNS: Final = re.compile(r"\breturning\b", re.IGNORECASE)
_ON_CONFLICT: Final = re.compile(r"\bon\s+conflict\b", re.IGNORECASE)
_ONE_ROW: Final = re.compile(
    r"(?P<into>insert into [\w.]+ \((?P<columns>[^()]*)\)) values \((?P<values>[^()]*)\)"
    r"(?P<rest> on conflict \((?P<keys>[^()]*)\) do update set [^$]*)?",
    re.IGNORECASE,
)
_TYPED: Final = re.compile(r"\$\d+::([A-Z ]+)(\[\])?(?=,|$)", re.IGNORECASE)
MANY: Final = 40
"""From so many rows on it is worth a statement of its own that some of their values are the same."""
_PLACE: Final = re.compile(r"\$(\d+)")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


_DIALECT: Final[sa.Dialect] = PGDialect_asyncpg(  # type: ignore[no-untyped-call]
    json_serializer=_json, json_deserializer=orjson.loads
)
_CACHE: Final[Any] = LRUCache(1000)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Plan:
    """The text of a compiled statement and how its parameters, and the values that come back, are made."""

    sql: str
    names: tuple[str, ...]
    converts: tuple[tuple[int, Convert], ...]
    """Of some places what their arguments are made with."""
    results: Mapping[str, Convert]
    table: str | None
    """What it writes to, where it is a write."""
    writes: bool
    """Whether it returns no rows but a count."""
    adds_only: bool
    """Whether it is an insert that meets no row that is there."""

    def arguments(self, values: Parameters) -> list[Any]:
        found = [values[name] for name in self.names]
        for place, convert in self.converts:
            found[place] = convert(found[place])
        return found


@dataclass(frozen=True, slots=True)
class Done:
    """What a write without RETURNING came to."""

    rowcount: int


@dataclass(slots=True, eq=False)
class Waiting:
    """A write that may wait for the next ones."""

    plan: Plan
    values: Parameters
    missed: Exception | None
    """Raised where fewer rows were written than `wanted`."""
    wanted: int = 1

    @property
    def arguments(self) -> list[Any]:
        return self.plan.arguments(self.values)


_plans: WeakKeyDictionary[SQLCompiler, Plan | None] = WeakKeyDictionary()
_standing: WeakKeyDictionary[sa.Executable, dict[tuple[str, ...], tuple[Plan, Parameters]]] = WeakKeyDictionary()


def prepare(statement: sa.Executable, parameters: Parameters | None = None) -> tuple[Plan, list[Any]]:
    """The plan of the statement and its arguments in order."""
    plan, values = planned(statement, parameters)
    return plan, plan.arguments(values)


def planned(statement: sa.Executable, parameters: Parameters | None = None) -> tuple[Plan, Parameters]:
    """The plan of the statement and all its values by name."""
    if parameters is None and not isinstance(statement, sa.TextClause):
        plan, values, _ = _compiled(statement, None)
        return plan, values
    names = tuple(parameters) if parameters else ()
    shapes = _standing.get(statement)
    if shapes is None:
        shapes = _standing[statement] = {}
    known = shapes.get(names)
    if known is None:
        plan, values, stands = _compiled(statement, parameters)
        if stands:
            shapes[names] = plan, {name: value for name, value in values.items() if name not in names}
        return plan, values
    plan, fixed = known
    return plan, {**fixed, **(parameters or {})} if fixed else parameters or {}


def _compiled(statement: sa.Executable, parameters: Parameters | None) -> tuple[Plan, Parameters, bool]:
    """The plan, all values by name, and whether other values have the same plan."""
    assert isinstance(statement, sa.ClauseElement), "a statement is built with SQLAlchemy"
    keys = sorted(parameters) if parameters else []
    compiled, extracted, collected, _ = statement._compile_w_cache(_DIALECT, compiled_cache=_CACHE, column_keys=keys)
    assert isinstance(compiled, SQLCompiler), "statements are of data, not of definitions"
    if compiled not in _plans:
        _plans[compiled] = _plan(compiled)
    values = compiled.construct_params(
        dict(parameters) if parameters else None,
        extracted_parameters=extracted,
        escape_names=False,
        _no_postcompile=True,
        _collected_params=collected,
    )
    plan = _plans[compiled]
    if plan is not None:
        return plan, values, True
    expanded = compiled._process_parameters_for_postcompile(values)
    converts = {**compiled._bind_processors, **expanded.processors}
    return _made(compiled, expanded.statement, expanded.positiontup or (), converts), expanded.parameters, False


def _plan(compiled: SQLCompiler) -> Plan | None:
    """None for one with a list in it (`IN`): its text depends on how many there are."""
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    return _made(compiled, compiled.string, compiled.positiontup or (), compiled._bind_processors)


def _made(compiled: SQLCompiler, sql: str, positions: Sequence[str], converts: Mapping[str, Any]) -> Plan:
    assert not compiled.insert_prefetch, "values are given, never made by SQLAlchemy"
    assert not compiled.update_prefetch, "values are given, never made by SQLAlchemy"
    dml = compiled.isinsert or compiled.isupdate or compiled.isdelete
    found = _WRITES.match(sql)
    returns = bool(compiled.effective_returning) if dml else _RETURNS.search(sql) is not None
    return Plan(
        sql=sql,
        names=tuple(positions),
        converts=tuple((place, one) for place, name in enumerate(positions) if callable(one := converts.get(name))),
        results={
            column.keyname: convert
            for column in compiled._result_columns
            if (convert := column.type._cached_result_processor(_DIALECT, None)) is not None
        },
        table=found["table"].lower() if found else None,
        writes=found is not None and not returns,
        adds_only=found is not None and found["verb"][0] in "iI" and _ON_CONFLICT.search(sql) is None,
    )


async def fetch(connection: asyncpg.Connection, plan: Plan, arguments: list[Any]) -> list[dict[str, Any]]:
    """The rows. Raises what SQLAlchemy would raise."""
    try:
        rows = [dict(record) for record in await connection.fetch(plan.sql, *arguments)]
    except FAILURES as error:
        raise wrapped(error) from error
    for name, convert in plan.results.items():
        for row in rows:
            row[name] = convert(row[name])
    return rows


async def write(connection: asyncpg.Connection, plan: Plan, arguments: list[Any]) -> Done:
    """How many rows were written. Raises what SQLAlchemy would raise."""
    count = (await run(connection, plan.sql, *arguments)).rpartition(" ")[2]
    return Done(int(count) if count.isdigit() else 0)


async def write_each(connection: asyncpg.Connection, plan: Plan, rows: list[list[Any]]) -> Done:
    """The write has been done once for each row of arguments."""
    try:
        await connection.executemany(plan.sql, rows)
    except FAILURES as error:
        raise wrapped(error) from error
    return Done(len(rows))


def alike(waiting: Sequence[Waiting]) -> list[list[Waiting]]:
    """Runs of the same statement, each table's in their order, the tables in the order in which they come first.

    A run of new rows is one insert of them all, where the statement can be that.
    """
    by_table: dict[str | None, list[list[Waiting]]] = {}
    for one in waiting:
        runs = by_table.setdefault(one.plan.table, [])
        if runs and runs[-1][0].plan is one.plan and runs[-1][0].missed is None is one.missed:
            runs[-1].append(one)
        else:
            runs.append([one])
    return [_as_one(run) for runs in by_table.values() for run in runs]


def _as_one(run: list[Waiting]) -> list[Waiting]:
    """New rows of one table, one by one, as one write of all; other writes as they are.

    Rows that may meet others are one write too, unless they meet each other.
    """
    plan = run[0].plan
    row = _one_row(plan) if len(run) > 1 else None
    if row is None:
        return run
    columns = list(zip(*(one.arguments for one in run), strict=True))
    if row.keys and len(set(zip(*(columns[place] for place in row.keys), strict=True))) < len(run):
        return run
    shared = [len(run) >= MANY and column.count(column[0]) == len(column) for column in columns]
    shared[0] &= not all(shared)  # it takes an array to say how many
    many = _insert_of_many(plan, tuple(shared))
    given = [
        column[0] if same else _literals(column) if of_lists else column
        for column, same, (_, of_lists) in zip(columns, shared, row.types, strict=True)
    ]
    return [Waiting(many, dict(zip(many.names, given, strict=True)), None)]


@dataclass(frozen=True, slots=True)
class _OneRow:
    """An insert of one row, in parts."""

    into: str
    types: list[tuple[str, str]]
    """Of each value its type, and `[]` where it is a list of them."""
    keys: list[int]
    """The places of what a row that is there may have, too, where it is then changed."""
    rest: str


@lru_cache(256)
def _one_row(plan: Plan) -> _OneRow | None:
    """None for a statement of another shape."""
    shape = _ONE_ROW.fullmatch(plan.sql)
    types = _TYPED.findall(shape["values"]) if shape else []
    if shape is None or not types or len(types) != len(plan.names):
        return None
    columns = shape["columns"].split(", ")
    keys = [columns.index(name) for name in (shape["keys"] or "").split(", ") if name]
    return _OneRow(shape["into"], types, keys, shape["rest"] or "")


@lru_cache(1024)
def _insert_of_many(plan: Plan, shared: tuple[bool, ...]) -> Plan:
    """The insert of a row as one of many: a value that they share is given once, of everything else an array.

    A list goes as its literal: to Postgres an array of lists has more dimensions, and `unnest` would flatten it.
    """
    row = _one_row(plan)
    assert row is not None, "it is an insert of one row"
    values, arrays, names = [], [], []
    for n, ((kind, of_lists), same) in enumerate(zip(row.types, shared, strict=True), start=1):
        values.append(f"${n}::{kind}{of_lists}" if same else f"c{n}::{kind}{of_lists}" if of_lists else f"c{n}")
        if not same:
            arrays.append(f"${n}::{'text' if of_lists else kind}[]")
            names.append(f"c{n}")
    rows = f"unnest({', '.join(arrays)}) with ordinality r ({', '.join(names)}, n)"
    sql = f"{row.into} select {', '.join(values)} from {rows} order by n{row.rest}"
    return replace(plan, sql=sql, names=tuple(f"c{n}" for n in range(1, len(shared) + 1)), converts=())


def _literals(column: Sequence[Sequence[str] | None]) -> list[str | None]:
    """Lists of texts as Postgres writes them."""
    return [None if value is None else _as_literal(value) for value in column]


def _as_literal(values: Sequence[str]) -> str:
    """A list of texts as Postgres writes it."""
    return "{" + ",".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values) + "}"


async def write_together(connection: asyncpg.Connection, waiting: Sequence[Waiting]) -> None:
    """All of them are written, in one round trip; raises the `missed` of the first that met too few rows."""
    if not waiting:
        return
    arguments = [argument for one in waiting for argument in one.arguments]
    counted = [one for one in waiting if one.missed is not None]
    sql = together(tuple((one.plan, one.missed is not None) for one in waiting))
    try:
        counts = await connection.fetchrow(sql, *arguments)
    except FAILURES as error:
        raise wrapped(error) from error
    assert counts is not None, "one row of counts comes back"
    for one, count in zip(counted, counts, strict=False):
        if count < one.wanted:
            assert one.missed is not None
            raise one.missed


@lru_cache(2048)
def together(plans: tuple[tuple[Plan, bool], ...]) -> str:
    """One statement of many writes; those that are counted say in its answer how many rows they met."""
    parts, counts, shift = [], [], 0
    for number, (plan, counted) in enumerate(plans):
        sql = _PLACE.sub(partial(_moved, shift), plan.sql)
        parts.append(f"w{number} as ({sql}{' returning 1' if counted else ''})")
        if counted:
            counts.append(f"(select count(*) from w{number})")
        shift += len(plan.names)
    return f"with {', '.join(parts)} select {', '.join(counts) or '1'}"


def _moved(shift: int, place: re.Match[str]) -> str:
    return f"${int(place[1]) + shift}"


def may_go_together(plan: Plan, others: Sequence[Waiting]) -> bool:
    """Statements of one round trip do not see each other's rows, so none may meet what another writes."""
    return all(other.plan.table != plan.table or (plan.adds_only and other.plan.adds_only) for other in others)


async def run(connection: asyncpg.Connection, sql: str, *arguments: Any) -> str:
    """The statement has run; what the database said of it. Raises what SQLAlchemy would raise."""
    try:
        return str(await connection.execute(sql, *arguments))
    except FAILURES as error:
        raise wrapped(error) from error


FAILURES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""An internal error is what asyncpg says of a connection that the server cut between two statements."""


def wrapped(error: Exception) -> sa.exc.DBAPIError:
    """The same families of errors as SQLAlchemy's, without the statement and its parameters."""
    kind: type[sa.exc.DBAPIError] = sa.exc.DBAPIError
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        kind = sa.exc.IntegrityError
    elif isinstance(error, asyncpg.SyntaxOrAccessError):
        kind = sa.exc.ProgrammingError
    elif isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError):
        kind = sa.exc.InterfaceError
    return kind(None, None, error, hide_parameters=True)
