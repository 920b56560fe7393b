"""Statements as spans of whatever runs them: what they do and to which table, never their text or a value.

asyncpg's own logger tells them. Nothing is watched where no provider takes spans, and a statement of a trace that is
not sampled costs a look.
"""

import re
from functools import lru_cache
from typing import Final

import asyncpg
from asyncpg.connection import LoggedQuery
from opentelemetry.trace import SpanKind

from libs.common import telemetry

_TABLE: Final = re.compile(r'\b(?:from|into|update)\s+(?!unnest\b|select\b|\()"?([a-z_][a-z0-9_.]*)', re.IGNORECASE)
_WRITE: Final = re.compile(r"\b(insert|update|delete)\b", re.IGNORECASE)
_FUNCTION: Final = re.compile(r"\s*select\s+([a-z_][a-z0-9_.]*)\(", re.IGNORECASE)


def watch(connection: asyncpg.Connection) -> None:
    """Each statement on this connection becomes a span, if spans go anywhere from this process."""
    if telemetry.tracer() is not None:
        connection.add_query_logger(_of_asyncpg)


def _of_asyncpg(ran: LoggedQuery) -> None:
    _tell(ran.query, ran.elapsed, ran.exception)


def _tell(statement: str, seconds: float, error: BaseException | None) -> None:
    """A span that has ended; asyncpg tells a moment later, when the span around it may have ended, too."""
    around = telemetry.running().get_span_context()
    if not around.is_valid or not around.trace_flags.sampled:
        return
    operation, subject = about(statement)
    telemetry.tell(
        f"{operation} {subject}".rstrip(),
        kind=SpanKind.CLIENT,
        attributes={"db.system.name": "postgresql", "db.operation.name": operation, "db.collection.name": subject},
        seconds=seconds,
        error=None if error is None else getattr(error, "sqlstate", None) or type(error).__name__,
    )


@lru_cache(maxsize=4096)
def about(statement: str) -> tuple[str, str]:
    """What a statement does, and to which table first, or by which function: `("insert", "outbox")`."""
    operation = re.match(r"\W*(\w*)", statement)
    if operation is not None and operation[1].lower() == "with":
        operation = _WRITE.search(statement) or re.search("(select)", statement, re.IGNORECASE)
    subject = _FUNCTION.match(statement) or _TABLE.search(statement)
    return (operation[1].lower() if operation else ""), (subject[1].lower() if subject else "")
