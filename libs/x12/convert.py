"""Text to values and back: money to whole cents, dates, decimals; remembered, since values repeat."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_AMOUNT = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?")
#: Cents by what stands after the point.
_PARTS = {"": 0} | {str(tenth): tenth * 10 for tenth in range(10)} | {f"{cent:02d}": cent for cent in range(100)}
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")


class Remembered(dict[Any, Any]):
    """A bounded memory of a conversion."""

    __slots__ = ("convert", "known", "most")

    def __init__(
        self, convert: Callable[[Any], Any], known: dict[Any, Any] | None = None, *, most: int = 20_000
    ) -> None:
        self.convert = convert
        self.most = most
        self.known = known or {}
        """Values that are not converted, such as that of an empty text."""
        self.update(self.known)

    def __missing__(self, text: Any) -> Any:
        value = self.convert(text)
        if len(self) > self.most:
            self.clear()
            self.update(self.known)
        self[text] = value
        return value


def cents(text: str) -> int:
    """``12.3`` is 1230; more than two decimals must be zeros."""
    whole, _, part = text.partition(".")
    fraction_cents = _PARTS.get(part)
    if fraction_cents is not None and whole.isdigit() and len(whole) < 23 and whole.isascii():
        return int(whole) * 100 + fraction_cents
    match = _AMOUNT.fullmatch(text.strip())
    if not match or not (match[2] or match[3]) or len(text) > 25:
        raise ValueError(text)
    fraction = (match[3] or "").rstrip("0")
    if len(fraction) > 2:
        raise ValueError(text)
    value = int(match[2] or 0) * 100 + int(fraction.ljust(2, "0"))
    return -value if match[1] == "-" else value


def decimal(text: str) -> Decimal:
    """A number as written, without an exponent."""
    if not _DECIMAL.fullmatch(text.strip()) or len(text) > 25:
        raise ValueError(text)
    return Decimal(text.strip())


def day(text: str) -> date:
    """``CCYYMMDD``."""
    if len(text) != 8 or not text.isdigit() or not text.isascii():
        raise ValueError(text)
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def span(text: str) -> tuple[date, date | None]:
    """One day, or two with a hyphen between (RD8); a time after the day (DT) is left out."""
    first, _, last = text.partition("-")
    return day(first if len(first) != 12 else first[:8]), day(last) if last else None


def stamp(pair: tuple[str, str]) -> datetime:
    """A day (six or eight digits) and a time of four digits or more."""
    first, time = pair
    whole = day("20" + first if len(first) == 6 else first)
    hours = int(time[:2] or 0) if time[:2].isdigit() else 0
    minutes = int(time[2:4] or 0) if time[2:4].isdigit() else 0
    seconds = int(time[4:6] or 0) if time[4:6].isdigit() else 0
    return datetime(whole.year, whole.month, whole.day, hours % 24, minutes % 60, seconds % 60)  # noqa: DTZ001 - X12 times have no zone


def number(text: str) -> int:
    """A whole number."""
    if not text.isdigit() or not text.isascii() or len(text) > 18:
        raise ValueError(text)
    return int(text)


def money(amount_cents: int) -> str:
    """1230 as ``12.3``: no trailing zeros, as the standard asks."""
    whole, fraction = divmod(abs(amount_cents), 100)
    text = f"{whole}.{fraction:02d}".rstrip("0").rstrip(".") if fraction else str(whole)
    return "-" + text if amount_cents < 0 else text


def plain(value: Decimal) -> str:
    """A decimal without an exponent, trailing zeros or a zero before the point of a fraction."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "-" + text[2:] if text.startswith("-0.") else text.removeprefix("0") if text.startswith("0.") else text
    return text or "0"


def days(first: date, last: date | None) -> str:
    """The text of a day or a span of days."""
    return f"{first:%Y%m%d}-{last:%Y%m%d}" if last else f"{first:%Y%m%d}"
