"""Amounts and dates as the rules need them; what is malformed is another finding and counts as unknown here."""

from libs.x12 import convert
from libs.x12.elements import is_date
from libs.x12.parts import Part, Seg, at

_CENTS: convert.Remembered = convert.Remembered(convert.cents)


def cents(text: str) -> int | None:
    """Whole cents, or None for what is no amount."""
    try:
        value: int | None = _CENTS[text] if text else None
    except ValueError:
        return None
    return value


def amount(seg: Seg | None, position: int) -> int | None:
    """The amount at an element."""
    return cents(at(seg, position))


def adjustments(segs: list[Seg]) -> list[tuple[str, str, int, Seg, int]]:
    """Every adjustment of CAS segments: group, reason, cents, segment, position of its amount."""
    found = []
    for seg in segs:
        e = seg[0]
        for position in range(3, min(len(e), 20), 3):
            value = cents(e[position])
            if value is not None:
                found.append((e[1], e[position - 1], value, seg, position))
    return found


def own_adjustments(part: Part) -> list[tuple[str, str, int, Seg, int]]:
    """The adjustments of a loop's own CAS segments, worked out once."""
    if part.adjustments is None:
        part.adjustments = adjustments(part.all("CAS"))
    found: list[tuple[str, str, int, Seg, int]] = part.adjustments
    return found


def total(segs: list[Seg]) -> int:
    """The sum of all adjustments of CAS segments."""
    return sum(entry[2] for entry in adjustments(segs))


def countable(segs: list[Seg]) -> bool:
    """Every adjustment of the CAS segments has an amount that is one."""
    for seg in segs:
        e = seg[0]
        for position in range(3, min(len(e) + 1, 20), 3):
            if cents(at(seg, position)) is None and e[position - 1]:
                return False
    return True


_NO_DAYS: list[tuple[str, str, Seg]] = []


def days(part: Part, *qualifiers: str) -> list[tuple[str, str, Seg]]:
    """First and last day of each DTP or DTM with one of the qualifiers; malformed ones are left out."""
    position = 3
    segs = part.ids.get("DTP")
    if segs is None:
        segs, position = part.ids.get("DTM"), 2
        if segs is None:
            return _NO_DAYS
    found = []
    for seg in segs:
        e = seg[0]
        if len(e) <= position or e[1] not in qualifiers:
            continue
        text = e[position]
        first, last = (text, text) if len(text) == 8 else (text[:8], text[9:] or text[:8])
        if len(first) == len(last) == 8 and is_date(first) and is_date(last):
            found.append((first, last, seg))
    return found


def service_days(line: Part) -> list[tuple[str, str, Seg]]:
    """The days of service of a line (DTP*472), worked out once."""
    if line.memo is None:
        line.memo = days(line, "472")
    found: list[tuple[str, str, Seg]] = line.memo
    return found


def dollars(value: int) -> str:
    """For messages."""
    return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d}"
