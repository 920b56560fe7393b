"""The library's front door: read, check, write, acknowledge."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, TypeVar

from libs.x12.findings import Finding, Partner, Report
from libs.x12.records import Record

#: Bytes of a file, its path, or a binary stream.
InputSource = bytes | Path | str | os.PathLike[str] | BinaryIO
R = TypeVar("R")


class Reading(Protocol):
    """What `read` returns (the shape; see reading.py)."""

    @property
    def records(self) -> tuple[Record, ...]:
        """Every transaction as its typed record, in the order of the file."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What reading alone noticed (envelope oddities)."""
        ...

    def one(self, kind: type[R]) -> R:
        """The only transaction of that record type; `ValueError` when there is none or more than one."""
        ...


def read(source: InputSource) -> Reading:
    """Read a file of any size; bad content never raises."""
    raise NotImplementedError


def check(source: InputSource, *, partner: Partner | None = None, limit: int = 1000) -> Report:
    """Validate a file; bad content never raises."""
    raise NotImplementedError


def findings(source: InputSource, *, partner: Partner | None = None) -> Iterator[Finding]:
    """Every finding, streamed as it is found."""
    raise NotImplementedError


def write(*records: Record) -> bytes:
    """One interchange holding these transactions; raises `Unwritable` for a value that cannot be sent."""
    raise NotImplementedError


def acknowledge(
    source: InputSource,
    as_: Literal["999", "TA1", "277CA", "271", "277"],
    *,
    control_number: int = 1,
    created: datetime | None = None,
    partner: Partner | None = None,
) -> bytes:
    """The acknowledgement of that kind which our own findings call for."""
    raise NotImplementedError


class Unwritable(ValueError):
    """A record holds a value that no interchange can carry, or lacks one that it must have."""
