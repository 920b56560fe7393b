"""Amounts and dates as the rules need them; what is malformed is another finding and counts as unknown here."""

from collections.abc import Sequence
from functools import cache

from libs.x12 import convert
from libs.x12.elements import is_date
from libs.x12.parts import Part, Seg


class _Cents(dict[str, int | None]):
    """Amounts that were met, in cents; None for what is no amount."""

    def __missing__(self, text: str) -> int | None:
        try:
            value = convert.cents(text) if text else None
        except ValueError:
            value = None
        if len(self) > 20_000:
            self.clear()
        self[text] = value
        return value


#: Amounts in cents; None for what is no amount.
CENTS = _Cents()


def cents(text: str) -> int | None:
    """Whole cents, or None for what is no amount."""
    return CENTS[text]


def amount(seg: Seg | None, position: int) -> int | None:
    """The amount at an element."""
    if seg is None or len(seg[0]) <= position:
        return None
    return CENTS[seg[0][position]]


#: An adjustment: group, reason, cents, segment, position of its amount.
Adjustment = tuple[str, str, int, Seg, int]


class Adjustments:
    """What the CAS segments of a loop take off."""

    __slots__ = ("entries", "known", "total")

    def __init__(self, segs: list[Seg]) -> None:
        self.entries: list[Adjustment] = []
        self.known = True
        """Every reason has an amount that is one."""
        self.total = 0
        for seg in segs:
            e = seg[0]
            for position in range(3, min(len(e) + 1, 20), 3):
                value = CENTS[e[position]] if position < len(e) else None
                if value is not None:
                    self.entries.append((e[1], e[position - 1], value, seg, position))
                    self.total += value
                elif e[position - 1]:
                    self.known = False


_NONE = Adjustments([])


class Taken:
    """What the CAS segments of a loop take off, if each of them is in order: (group or nothing for the one before,
    reason, amount)."""

    __slots__ = ("owed", "reasons", "total", "twice")

    def __init__(self, found: list[tuple[str, str, str]]) -> None:
        if len(found) == 1:
            ((group, reason, text),) = found
            self.total = total = round(float(text) * 100)
            self.owed = total if group == "PR" else 0
            self.reasons, self.twice = [reason], False
            return
        self.total = self.owed = 0
        group, entries = "", []
        for own, reason, text in found:
            group = own or group
            entries.append((group, reason))
            value = round(float(text) * 100)
            self.total += value
            if group == "PR":
                self.owed += value
        self.reasons = [reason for _, reason in entries]
        self.twice = len({*entries}) < len(entries)
        """A group and reason stand there more than once."""


def balanced(charge: int, paid: int, *taken: Taken) -> bool:
    """The charge less these adjustments is what was paid."""
    return charge - sum([one.total for one in taken]) == paid


def distinct(texts: Sequence[str]) -> bool:
    """No text is there twice, but for empty ones."""
    if len(texts) < 2:
        return True
    filled = [text for text in texts if text]
    return len({*filled}) == len(filled)


@cache
def counted(count: int) -> tuple[str, ...]:
    """The numbers from one to `count`, as texts."""
    return tuple(str(number) for number in range(1, count + 1))


def adjustments(part: Part) -> Adjustments:
    """The adjustments of a loop's own CAS segments, worked out once."""
    if part.adjustments is None:
        part.adjustments = Adjustments(part.ids["CAS"]) if "CAS" in part.ids else _NONE
    found: Adjustments = part.adjustments
    return found


#: First and last day, and the segment that says so.
Span = tuple[str, str, Seg]
_NO_DAYS: list[tuple[str, str, str, Seg]] = []
_NO_SPANS: list[Span] = []


def _known_span(text: str) -> tuple[str, str] | None:
    first, last = (text, text) if len(text) == 8 else (text[:8], text[9:] or text[:8])
    return (first, last) if len(first) == len(last) == 8 and is_date(first) and is_date(last) else None


_SPANS = convert.Remembered(_known_span)


def dated(part: Part) -> list[tuple[str, str, str, Seg]]:
    """Qualifier, first and last day of each DTP or DTM of a loop, worked out once; malformed ones are left out."""
    if part.dated is None:
        found = []
        position = 3 if "DTP" in part.ids else 2
        for seg in part.ids.get("DTP") or part.ids.get("DTM") or ():
            e = seg[0]
            span = _SPANS[e[position]] if len(e) > position else None
            if span:
                found.append((e[1], *span, seg))
        part.dated = found or _NO_DAYS
    known: list[tuple[str, str, str, Seg]] = part.dated
    return known


def days(part: Part, *qualifiers: str) -> list[Span]:
    """First and last day of each DTP or DTM with one of the qualifiers."""
    known = dated(part)
    return [entry[1:] for entry in known if entry[0] in qualifiers] if known else _NO_SPANS


def dollars(value: int) -> str:
    """For messages."""
    return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d}"
