"""Type-prefixed, time-ordered identifiers (UUIDv7, RFC 9562)."""

import os
import time
from uuid import UUID, uuid5

_PARITY = UUID("6f1d8a0e-5d0c-5b8e-9a51-706172697479")


def uuid7() -> UUID:
    """A UUID whose first 48 bits are the wall clock's milliseconds; sorts by creation."""
    return UUID(int=_fresh())


def uuid7_text() -> str:
    """As `uuid7`, written down at once: `0198f3a2-…`."""
    fresh = f"{_fresh():032x}"
    return f"{fresh[:8]}-{fresh[8:12]}-{fresh[12:16]}-{fresh[16:20]}-{fresh[20:]}"


def new_id(prefix: str) -> str:
    """A fresh id of the given type: `new_id("clm")` is `clm_` and 32 hex digits."""
    return f"{prefix}_{_fresh():032x}"


def _fresh() -> int:
    chance = int.from_bytes(os.urandom(10)) & _CHANCE
    return (time.time_ns() // 1_000_000 << 80) | chance | _VERSION_AND_VARIANT


_CHANCE = (1 << 80) - 1 & ~(0xF << 76) & ~(0x3 << 62)
_VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62


def derived_id(prefix: str, *parts: str) -> str:
    """The same id for the same parts, so that two services may name a thing before they have met."""
    return f"{prefix}_{uuid5(_PARITY, chr(31).join(parts)).hex}"
