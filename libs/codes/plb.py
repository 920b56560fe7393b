"""Provider adjustments of an 835 (PLB): which account each one moves."""

from functools import cache

from libs.codes.dated import load

SUSPENSE = "suspense"
"""Where a code waits that nobody has given an account."""


@cache
def _rows() -> dict[str, tuple[str, str]]:
    return {row["code"]: (row["meaning"], row["account"]) for row in load("plb.yaml")["codes"]}


def account(code: str) -> str:
    """The account that an amount with this code belongs to; `suspense` for a code that we do not know."""
    return _rows().get(code, ("", SUSPENSE))[1]


def meaning(code: str) -> str | None:
    """What the code says, in our own words."""
    return _rows().get(code, (None, ""))[0]


def codes() -> tuple[str, ...]:
    return tuple(_rows())
