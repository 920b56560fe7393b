"""Which failures are the world's: the database or the log was away, so the same work is right a moment later."""

import asyncio
import random
from collections.abc import Iterator

import asyncpg
import sqlalchemy as sa

from libs.common.failures import sqlstate
from libs.common.log import LogUnavailable

_STATES = frozenset({"55P03", "25006", "57P01", "57P02", "57P03", "57P05"})
_CLASSES = ("08", "40", "53", "58")
"""Connection, rollback (serialization, deadlock), resources, system. A cancelled statement (57014) is not among
them: one that always takes too long would hold up its partition for ever."""

_OWN_FAULTS = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)


def is_transient(error: BaseException) -> bool:
    """True where waiting helps: such work is tried without limit, and never parked."""
    state = sqlstate(error)
    if state is not None:
        return state in _STATES or state.startswith(_CLASSES)
    if isinstance(error, LogUnavailable | ConnectionError | TimeoutError | sa.exc.TimeoutError):
        return True
    if isinstance(error, OSError):
        return not isinstance(error, _OWN_FAULTS)
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
        return True
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_transient(_below(error.orig)))
    return isinstance(error, asyncpg.InternalClientError)


def _below(error: BaseException) -> BaseException:
    """What asyncpg raised, under the wrapper that SQLAlchemy's dialect puts around it."""
    return error.__cause__ or error


def waits(first: float = 0.05, longest: float = 2.0) -> Iterator[float]:
    """Seconds to wait before each next try: doubling, with some chance so that many do not come back at once."""
    seconds = first
    while True:
        yield seconds * random.uniform(0.75, 1.25)  # noqa: S311
        seconds = min(seconds * 2, longest)


async def wait(event: asyncio.Event, seconds: float) -> bool:
    """Until `event` is set, at most so long; returns whether it is set."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
