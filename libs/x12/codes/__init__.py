"""Code lists as data: one file for each list, ``CODE[..CODE] [from] [to]``, with dates where a code has them."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class CodeList:
    """A list's codes, and the spans of time of those that are dated."""

    name: str
    codes: frozenset[str]
    spans: dict[str, tuple[date | None, date | None]]

    def __contains__(self, code: str) -> bool:
        return code in self.codes

    def valid_on(self, code: str, day: date) -> bool:
        """The code is in the list and its time includes the day."""
        if code not in self.codes:
            return False
        start, end = self.spans.get(code, (None, None))
        return not ((start and day < start) or (end and day > end))


_RANGE = re.compile(r"([A-Z]*)(\d+)\.\.\1(\d+)")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d|-)")


@cache
def code_list(name: str) -> CodeList:
    """The list of that name; a line without dates may hold several codes."""
    codes: set[str] = set()
    spans: dict[str, tuple[date | None, date | None]] = {}
    for line in (HERE / f"{name}.txt").read_text().splitlines():
        words = line.partition("#")[0].split()
        dates = [word for word in words if _DATE.fullmatch(word)]
        for word in words[: len(words) - len(dates)]:
            for code in _expand(word):
                codes.add(code)
                if dates:
                    bounds = [None if item == "-" else date.fromisoformat(item) for item in (*dates, "-")][:2]
                    spans[code] = (bounds[0], bounds[1])
    return CodeList(name, frozenset(codes), spans)


def _expand(word: str) -> list[str]:
    """``N1..N3`` is N1, N2, N3; leading zeros stay."""
    match = _RANGE.fullmatch(word)
    if not match:
        return [word]
    head, first, last = match.groups()
    return [f"{head}{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]
