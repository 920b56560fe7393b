"""Errors that an operator can act on: one line that says what to do, never a traceback."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn


class PlainError(Exception):
    """Something outside our code is in the way; the message says what to do about it."""


_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space and try again",
    errno.EDQUOT: "the disk quota is used up; free some space and try again",
    errno.EROFS: "the disk is read-only; clone Parity where files can be written",
    errno.EACCES: "permission denied; clone Parity where you may write, or correct the owner",
    errno.EPERM: "not permitted; clone Parity where you may write, or correct the owner",
    errno.EMFILE: "too many open files; raise the limit with `ulimit -n 4096`",
}


@contextmanager
def plainly(what: Path | str) -> Iterator[None]:
    """Turn the operating system's refusals about `what` into a PlainError."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0)
        if advice is None:
            raise
        raise PlainError(f"{error.filename or what}: {advice}.") from error


def give_up(error: Exception) -> NoReturn:
    """End the program with the error's one line."""
    sys.stderr.write(f"parity: {error}\n")
    raise SystemExit(1)
