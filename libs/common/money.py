"""Money is `int` cents; text and fractions become cents here and nowhere else."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

_CENT = Decimal("0.01")


def cents(text: str) -> int:
    """The cents of a decimal text such as `135`, `135.5` or `-0.01`; finer than a cent is refused."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("not an amount of money") from None
    if not value.is_finite() or value != value.quantize(_CENT):
        raise ValueError("not an amount of whole cents")
    return int(value * 100)


def dollars(amount_cents: int) -> str:
    """The amount as people write it: 13500 is `135.00`."""
    sign = "-" if amount_cents < 0 else ""
    whole, rest = divmod(abs(amount_cents), 100)
    return f"{sign}{whole}.{rest:02d}"


def round_half_up(amount_cents: Decimal) -> int:
    """A fraction of cents as whole cents, halves away from zero, as payers round."""
    return int(amount_cents.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def share(amount_cents: int, fraction: Decimal) -> int:
    """That fraction of the amount in whole cents: 20 % of 118.00 is `share(11800, Decimal("0.2"))`."""
    return round_half_up(Decimal(amount_cents) * fraction)
