"""SQLAlchemy writes the statement, asyncpg runs it: what one row in, some rows out needs, and no more.

A statement that needs more of SQLAlchemy (many rows of parameters, lists in `IN`, values that it makes or converts)
has no plan here, and is left to it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import asyncpg
import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

_WRITES: Final = re.compile(r"\s*(insert|update|delete)\b(?!.*\breturning\b)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Plan:
    """The text of a compiled statement and how its parameters are made."""

    sql: str
    names: tuple[str, ...]
    convert: Mapping[str, Callable[[Any], Any]]
    writes: bool
    """Whether it returns no rows but a count."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a write without RETURNING came to."""

    rowcount: int


_plans: WeakKeyDictionary[SQLCompiler, Plan | None] = WeakKeyDictionary()


def prepare(
    dialect: sa.Dialect, cache: Any, statement: sa.Executable, parameters: Mapping[str, Any] | None
) -> tuple[Plan, list[Any]] | None:
    """The plan of the statement and its arguments in order; None where SQLAlchemy itself is to run it."""
    if not isinstance(statement, sa.ClauseElement):
        return None
    keys = sorted(parameters) if parameters else []
    compiled, extracted, collected, _ = statement._compile_w_cache(dialect, compiled_cache=cache, column_keys=keys)
    if not isinstance(compiled, SQLCompiler):
        return None
    if compiled not in _plans:
        _plans[compiled] = _plan(dialect, compiled)
    plan = _plans[compiled]
    if plan is None:
        return None
    values = compiled.construct_params(
        dict(parameters) if parameters else None,
        extracted_parameters=extracted,
        escape_names=False,
        _collected_params=collected,
    )
    convert = plan.convert
    return plan, [convert[n](values[n]) if n in convert else values[n] for n in plan.names]


def _plan(dialect: sa.Dialect, compiled: SQLCompiler) -> Plan | None:
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    if compiled.insert_prefetch or compiled.update_prefetch:
        return None
    if any(_converted(column.type, dialect) for column in compiled._result_columns):
        return None
    positions = compiled.positiontup or ()
    if any(isinstance(convert, tuple) for convert in compiled._bind_processors.values()):
        return None
    dml = compiled.isinsert or compiled.isupdate or compiled.isdelete
    writes = not compiled.effective_returning if dml else _WRITES.match(compiled.string) is not None
    return Plan(compiled.string, tuple(positions), dict(compiled._bind_processors), writes)  # type: ignore[arg-type]


def _converted(kind: Any, dialect: sa.Dialect) -> bool:
    return kind._cached_result_processor(dialect, None) is not None


async def fetch(connection: asyncpg.Connection, plan: Plan, arguments: list[Any]) -> list[dict[str, Any]]:
    """The rows. Raises what SQLAlchemy would raise."""
    try:
        return [dict(record) for record in await connection.fetch(plan.sql, *arguments)]
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise _wrapped(error) from error


async def write(connection: asyncpg.Connection, plan: Plan, arguments: list[Any]) -> Done:
    """How many rows were written. Raises what SQLAlchemy would raise."""
    try:
        said = await connection.execute(plan.sql, *arguments)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise _wrapped(error) from error
    return Done(int(said.rpartition(" ")[2]))


def _wrapped(error: Exception) -> sa.exc.DBAPIError:
    """The same families of errors as SQLAlchemy's, without the statement and its parameters."""
    kind: type[sa.exc.DBAPIError] = sa.exc.DBAPIError
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        kind = sa.exc.IntegrityError
    elif isinstance(error, asyncpg.SyntaxOrAccessError):
        kind = sa.exc.ProgrammingError
    elif isinstance(error, asyncpg.InterfaceError | OSError):
        kind = sa.exc.InterfaceError
    return kind(None, None, error, hide_parameters=True)
