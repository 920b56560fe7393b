"""What went wrong, as a Problem: one place that turns exceptions into answers, and never quotes one."""

import logging
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import orjson
import sqlalchemy as sa
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from libs.common import logs
from libs.common.db import Stale
from libs.common.problems import (
    MEDIA_TYPE,
    PRACTICE_FORBIDDEN,
    Conflict,
    Forbidden,
    InFlight,
    Invalid,
    Malformed,
    NotFound,
    Problem,
    Unavailable,
    Unexpected,
    field_errors,
)

log = logging.getLogger(__name__)

Mapped = Mapping[type[Exception], tuple[int, str]]
"""A service's own exceptions: status and code; their words are shown, so they name ids and codes only."""

_TITLES: Final = {400: "The request cannot be read", 404: "Not found", 405: "This cannot be done here"}
_RETRY: Final = frozenset({"40001", "40P01", "55P03"})
_AWAY: Final = ("08", "53", "57")
"""SQLSTATE classes of a database that is away, full, or going down."""


def problem_of(error: Exception, mapped: Mapped) -> Problem:
    """The problem that answers this exception; Unexpected for one that nobody foresaw."""
    if isinstance(error, Problem):
        return error
    for kind in type(error).__mro__:
        if kind in mapped:
            status, code = mapped[kind]
            return Problem(status, code, _TITLES.get(status, "This cannot be done"), str(error) or None)
    return _foreseen(error) or _database(error) or Unexpected()


def _foreseen(error: Exception) -> Problem | None:
    match error:
        case Stale():
            return Conflict("stale", "Somebody changed it at the same moment; read it again.", more={"retryable": True})
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            return _http(error)
        case OverflowError():  # a date from which, or up to which, nobody can count
            return Invalid(detail="A value is outside what can be reckoned with.")
        case ClientDisconnect():
            return Malformed("The connection was closed within the body.")
        case _:
            return None


def answer(problem: Problem, request_id: str | None) -> Response:
    """The problem as a response."""
    return Response(
        orjson.dumps(problem.view(request_id)),
        status_code=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def record(problem: Problem, error: Exception) -> None:
    """A fault of ours is in the log: its type and the place in our code, not its words."""
    state = sqlstate(error)
    if problem.status >= 500 or state is not None:
        log.log(
            logging.ERROR if problem.status >= 500 else logging.WARNING,
            "request_failed",
            extra={
                "status": problem.status,
                "code": problem.code,
                "error": type(error).__name__,
                "where": logs.where(error),
                "sqlstate": state,
            },
        )


def sqlstate(error: BaseException | None) -> str | None:
    """The SQLSTATE that the database gave, where there is one below this exception."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found = getattr(error, "sqlstate", None)
        if isinstance(found, str):
            return found
        error = getattr(error, "orig", None) or error.__cause__
    return None


def _invalid(error: RequestValidationError) -> Problem:
    found: list[Any] = list(error.errors())
    if any(one.get("type") == "json_invalid" for one in found):
        return Malformed("The body is not JSON.")
    return Invalid(field_errors(found))


def _http(error: HTTPException) -> Problem:
    """The framework's own refusals: no such path, no such method, an unreadable body."""
    if error.status_code == 404:
        return NotFound("There is no such path.")
    code = {400: "malformed", 405: "method_not_allowed"}.get(error.status_code, f"http_{error.status_code}")
    title = _TITLES.get(error.status_code, "This cannot be done")
    return Problem(error.status_code, code, title, headers=error.headers)


def _database(error: Exception) -> Problem | None:
    state = sqlstate(error) or ""
    if state in _RETRY:
        return InFlight("Somebody else is changing the same.", code="busy")
    if state.startswith(_AWAY) or _is_away(error):
        return Unavailable("The database does not answer.", code="database_unavailable")
    if state == "23505":
        return Conflict("duplicate_resource", "There is one already.")
    if state == "42501" and 'policy "practice"' in str(error):  # `migrations.protect` names it so
        return Forbidden("This is another practice's.", code=PRACTICE_FORBIDDEN)
    if state.startswith("22"):
        return Invalid(detail="A value is outside what can be stored.")
    return None


def _is_away(error: Exception) -> bool:
    """Connecting failed, the connection broke, or none was free."""
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated or isinstance(error, sa.exc.InterfaceError)
    return isinstance(error, sa.exc.TimeoutError | OSError | asyncpg.InterfaceError)
