"""The conditions under which rules are kept, as Python over what the expressions of a unit have caught."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from libs.x12.grammar import Loop, Spec
from libs.x12.marks import Ref
from libs.x12.parts import Part, at
from libs.x12.rules import values

_BRACES = re.compile(r"\{([$#-]?)(?:(\w+):)?([^}]+)\}")
_PLACE = re.compile(r"([A-Z][A-Z0-9]{1,2}?)(\d\d)?(?:-(\d))?(?:\*(\w+))?")


def loops_of(loop: Loop) -> Iterator[Loop]:
    """The loop and the kept ones within it."""
    yield loop
    for inner in loop.loops():
        if inner.kept:
            yield from loops_of(inner)


def refs(condition: str, loop: str, has: Callable[[str, str], bool]) -> Iterator[tuple[str, str, Ref]]:
    """What stands in braces, its sign, and what it refers to; `has` tells whether a loop has a segment."""
    for match in _BRACES.finditer(condition):
        sign, other, text = match.groups()
        if sign == "#":
            yield match[0], sign, Ref(text, "")
            continue
        for way in text.split("|"):
            place = _PLACE.fullmatch(way)
            assert place, condition
            ref = Ref(other or loop, place[1], place[4] or "", int(place[2] or 0), int(place[3] or 0))
            if has(ref.loop, ref.segment) or way == text.rpartition("|")[2]:
                yield match[0], sign, ref
                break


def segments_of(spec: Spec) -> set[tuple[str, str]]:
    """Which loop has which segment."""
    found: set[tuple[str, str]] = set()
    pending = [spec.root]
    while pending:
        loop = pending.pop()
        found |= {(loop.id, node.id) for node in loop.nodes()}
        pending += loop.loops()
    return found


def said(part: Part, wanted: list[Ref], mark: str) -> tuple[str, ...]:
    """The texts of these elements in a level that was looked at closely."""
    found = []
    for ref in wanted:
        loop = part if ref.loop == part.loop.id else next(iter(part.loops(ref.loop)), None)
        text = at(loop.first(ref.segment, ref.qualifier), ref.element) if loop else ""
        if ref.component:
            text = (text.split(mark) + [""] * ref.component)[ref.component - 1]
        found.append(text)
    return tuple(found)


def names_of(condition: str, body: Any) -> dict[str, Any]:
    """The functions and tables that a condition uses: of the module of its rule, or of `values`."""
    words = {*re.findall(r"[A-Za-z_]\w*", re.sub(r"\"[^\"]*\"", "", _BRACES.sub("", condition)))}
    space = {**vars(values), **body.__globals__}
    return {word: space[word] for word in words if word in space}
