"""The library's front door: read, check, write, acknowledge."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from libs.x12.findings import Finding, Partner, Report
from libs.x12.reading import Reading, read
from libs.x12.tokens import InputSource
from libs.x12.writing import Unwritable, write

__all__ = ["InputSource", "Reading", "Unwritable", "acknowledge", "check", "findings", "read", "write"]


def check(source: InputSource, *, partner: Partner | None = None, limit: int = 1000) -> Report:
    """Validate a file; bad content never raises."""
    raise NotImplementedError


def findings(source: InputSource, *, partner: Partner | None = None) -> Iterator[Finding]:
    """Every finding, streamed as it is found."""
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
