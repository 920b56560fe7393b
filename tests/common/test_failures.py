"""What went wrong is answered as what it is."""

import asyncpg
import pytest
import sqlalchemy as sa
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from libs.common.db import Stale
from libs.common.failures import problem_of, sqlstate


def wrapped(state: str, kind: type[sa.exc.DBAPIError] = sa.exc.DBAPIError) -> sa.exc.DBAPIError:
    """As SQLAlchemy hands on what the database said."""
    orig = Exception("select Jo Rivera")
    orig.sqlstate = state  # type: ignore[attr-defined]
    return kind("select", {}, orig)


class Domain(Exception):
    pass


class Narrower(Domain):
    pass


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Stale("clm_1"), 409, "stale"),
        (Narrower("clm_1 is closed"), 423, "closed_period"),
        (HTTPException(418), 418, "http_418"),
        (ClientDisconnect(), 400, "malformed"),
        (wrapped("40001"), 409, "busy"),
        (wrapped("40P01"), 409, "busy"),
        (wrapped("55P03"), 409, "busy"),
        (wrapped("23505"), 409, "duplicate_resource"),
        (wrapped("22003"), 422, "validation_failed"),
        (wrapped("57P01"), 503, "database_unavailable"),
        (wrapped("53300"), 503, "database_unavailable"),
        (wrapped("53100"), 503, "database_unavailable"),
        (wrapped("", sa.exc.InterfaceError), 503, "database_unavailable"),
        (sa.exc.TimeoutError(), 503, "database_unavailable"),
        (ConnectionResetError(), 503, "database_unavailable"),
        (asyncpg.ConnectionDoesNotExistError(), 503, "database_unavailable"),
        (wrapped("23514"), 500, "internal"),
        (wrapped("42703"), 500, "internal"),
        (KeyError("Jo Rivera"), 500, "internal"),
    ],
)
def test_each_failure_has_its_answer(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error, {Domain: (423, "closed_period")})
    assert (problem.status, problem.code) == (status, code)
    assert "Rivera" not in str(problem.view("req_1"))
    assert ("Retry-After" in problem.headers) == (status == 503 or code == "busy")


def test_the_words_of_a_mapped_exception_are_shown() -> None:
    assert problem_of(Domain("clm_1 is closed"), {Domain: (409, "closed")}).detail == "clm_1 is closed"


def test_the_sqlstate_is_found_below_wrappers() -> None:
    assert sqlstate(wrapped("40001")) == "40001"
    outer = RuntimeError()
    outer.__cause__ = wrapped("22003")
    assert sqlstate(outer) == "22003"
    assert sqlstate(RuntimeError()) is None
