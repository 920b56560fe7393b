"""What regular expressions of segments are put together from: delimiters, words, what is to be remembered."""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from libs.x12.tokens import Header


class Marks(NamedTuple):
    """What separates elements, components and repetitions, and what ends a segment, with its line break."""

    element: str
    component: str
    repetition: str
    end: str

    @property
    def usable(self) -> bool:
        """They are four different characters of which none can be a part of a number, a date or a code."""
        found = [*self[:3], self.end[:1]]
        return len({*found}) == 4 and all(len(m) == 1 and not m.isalnum() and m not in " -./_" for m in found)

    def segments(self, text: str) -> list[list[str]]:
        """The elements of a text of whole segments."""
        return [segment.split(self.element) for segment in text.split(self.end)[:-1]]


def marks_of(header: Header) -> Marks:
    """The marks of an interchange."""
    return Marks(header.element, header.component, header.repetition, header.segment + header.line_break)


class Ref(NamedTuple):
    """An element of the segment of a loop, or a component of it; the whole segment if no element is given."""

    loop: str
    segment: str
    qualifier: str = ""
    element: int = 0
    component: int = 0


def codes(words: Iterable[str]) -> str:
    """An expression for exactly these words."""
    rests: dict[str, set[str]] = {}
    for word in {*words} - {""}:
        rests.setdefault(word[0], set()).add(word[1:])
    heads: dict[frozenset[str], list[str]] = {}
    for head, rest in rests.items():
        heads.setdefault(frozenset(rest), []).append(head)
    ways = []
    for rest_, same in heads.items():
        head = "[" + "".join(map(re.escape, sorted(same))) + "]" if len(same) > 1 else re.escape(same[0])
        ways.append(head + codes(rest_))
    if "" in words:
        ways.append("")
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})" if ways else ""


def any_but(marks: str) -> str:
    """An expression for a printed character that is none of these."""
    ends = sorted({" ", *marks, "\x7f"})
    ranges = [(chr(ord(a) + (a in marks)), chr(ord(b) - 1)) for a, b in pairwise(ends) if a >= " "]
    return "[" + "".join(f"{re.escape(a)}-{re.escape(b)}" for a, b in ranges if a <= b) + "]"


def compiled(text: str) -> re.Pattern[str]:
    """The expression; in it a condition may name a group that comes after it, as only numbers may."""
    numbers = {name: str(place) for place, name in enumerate(re.findall(r"\(\?P<(g\d+)>", text), 1)}
    return re.compile(re.sub(r"(?<=\(\?\()g\d+", lambda found: numbers[found[0]], text))
