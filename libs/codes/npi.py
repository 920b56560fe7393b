"""National provider identifiers: ten digits whose last one proves the rest."""

from functools import lru_cache

_PREFIX_SUM = 24
"""What the prefix 80840, which every NPI stands behind, adds to the Luhn sum."""


@lru_cache(4096)
def valid(npi: str) -> bool:
    """Whether the check digit is right.

    >>> valid("1234567893"), valid("1234567890"), valid("12345")
    (True, False, False)
    """
    if len(npi) != 10 or not (npi.isascii() and npi.isdigit()):
        return False
    total = _PREFIX_SUM
    for position, digit in enumerate(reversed(npi)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
