"""A transaction set against its guide: what is out of place or malformed is named, as a 999 must name it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

from services.sandbox.segments import Segment, element

_GUIDES = Path(__file__).parent / "guides"
_QUALIFIER = {"HL": 3}
_WITHOUT_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BadElement:
    """IK4: which element or component, and IK403: 1 missing, 4 short, 5 long, 6 character, 7 code, 8 date, 9 time."""

    position: int
    component: int | None
    code: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadSegment:
    """IK3: which segment, where, and IK304: 1 unknown, 2 unexpected, 3 required is missing, 4 loop and
    5 segment too often, 7 out of order, 8 elements."""

    segment: str
    position: int
    loop: str
    code: str
    elements: tuple[BadElement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one element must be."""

    required: bool
    type: str
    least: int
    most: int
    codes: frozenset[str]


@dataclass(slots=True)
class Node:
    """A segment's place in a loop, or a loop with its places."""

    name: str
    required: bool
    most: int
    qualifiers: frozenset[str] = frozenset()
    children: list["Node"] = field(default_factory=list)

    @property
    def is_loop(self) -> bool:
        return bool(self.children)

    def begins_with(self, segment: Segment) -> bool:
        """True when this place takes the segment, or this loop begins with it."""
        if self.is_loop:
            return self.children[0].begins_with(segment)
        if self.name != segment[0]:
            return False
        value = re.split("[:^]", element(segment, _QUALIFIER.get(self.name, 1)))[0]
        return not self.qualifiers or value in self.qualifiers


@dataclass(slots=True)
class _Open:
    """A loop that is being read: how often each of its places was taken, and how far it has come."""

    node: Node
    at: int = 0
    seen: dict[int, int] = field(default_factory=dict)


def check(guide: str, segments: tuple[Segment, ...]) -> list[BadSegment]:
    """What is wrong with one transaction set (ST to SE), in the order of the file."""
    stack = [_Open(_guide(guide))]
    found: list[BadSegment] = []
    for position, segment in enumerate(segments, start=1):
        found += _place(stack, segment, position)
        bad = tuple(_bad_elements(segment))
        if bad:
            loop = _loop_name(stack)
            found.append(BadSegment(segment=segment[0], position=position, loop=loop, code="8", elements=bad))
    while stack:
        found += _missing(stack.pop(), len(segments))
    return found


def _loop_name(stack: list[_Open]) -> str:
    name = stack[-1].node.name
    return "" if name == "header" else name


def _place(stack: list[_Open], segment: Segment, position: int) -> list[BadSegment]:
    """Move to where the segment belongs: later in this loop, in a child of it, or in a loop further up."""
    found: list[BadSegment] = []
    for depth in range(len(stack) - 1, -1, -1):
        index = _find(stack[depth], segment)
        if index is None:
            continue
        while len(stack) - 1 > depth:
            found += _missing(stack.pop(), position)
        return found + _enter(stack, index, segment, position)
    if any(child.begins_with(segment) for child in stack[-1].node.children):
        code = "7"
    else:
        code = "2" if _is_known(stack[0].node, segment[0]) else "1"
    return [BadSegment(segment=segment[0], position=position, loop=_loop_name(stack), code=code)]


def _find(here: _Open, segment: Segment) -> int | None:
    """Its next place in this loop; back only among places of one segment id, which may come in any order."""
    for index in range(here.at, len(here.node.children)):
        if here.node.children[index].begins_with(segment):
            return index
    for index in range(here.at - 1, -1, -1):
        child = here.node.children[index]
        if _segment_id(child) != segment[0] or _segment_id(here.node.children[index + 1]) != segment[0]:
            break
        if child.begins_with(segment):
            return index
    return None


def _segment_id(node: Node) -> str:
    return node.children[0].name if node.is_loop else node.name


def _enter(stack: list[_Open], index: int, segment: Segment, position: int) -> list[BadSegment]:
    here = stack[-1]
    node = here.node.children[index]
    found: list[BadSegment] = []
    here.seen[index] = here.seen.get(index, 0) + 1
    here.at = max(here.at, index)
    if here.seen[index] > node.most:
        code = "4" if node.is_loop else "5"
        found.append(BadSegment(segment=segment[0], position=position, loop=_loop_name(stack), code=code))
    if node.is_loop:
        stack.append(_Open(node))
        found += _enter(stack, 0, segment, position)
    return found


def _missing(left: _Open, position: int) -> Iterator[BadSegment]:
    """The required places that a loop left empty; a missing loop is named by its first segment."""
    for index, child in enumerate(left.node.children):
        if child.required and not left.seen.get(index):
            segment = _segment_id(child)
            loop = child.name if child.is_loop else left.node.name
            loop = "" if loop == "header" else loop
            yield BadSegment(segment=segment, position=position, loop=loop, code="3")


def _is_known(node: Node, name: str) -> bool:
    return any(_is_known(child, name) if child.is_loop else child.name == name for child in node.children)


def _bad_elements(segment: Segment) -> Iterator[BadElement]:
    table = _elements()
    rules = table.get(f"{segment[0]}*{element(segment, 1)}", table.get(segment[0], ()))
    for position, parts in enumerate(rules, start=1):
        value = element(segment, position)
        if len(parts) == 1:
            code = _verdict(parts[0], value)
            if code:
                yield BadElement(position=position, component=None, code=code, value=value)
            continue
        components = value.split(":")
        for number, rule in enumerate(parts, start=1):
            part = components[number - 1] if number <= len(components) else ""
            code = _verdict(rule, part)
            if code:
                yield BadElement(position=position, component=number, code=code, value=part)


def _verdict(rule: Rule | None, value: str) -> str:
    """IK403 for this value, or empty text when it is right."""
    if rule is None:
        return ""
    if not value:
        return "1" if rule.required else ""
    if rule.codes and value not in rule.codes:
        return "7"
    length = len(value.lstrip("-").replace(".", "")) if rule.type in "MNR" else len(value)
    if length > rule.most:
        return "5"
    if length < rule.least:
        return "4"
    return _malformed(rule.type, value)


def _malformed(kind: str, value: str) -> str:
    match kind:
        case "M" | "R":
            pattern = r"-?\d*\.?\d{1,2}|-?\d+\.?" if kind == "M" else r"-?\d*\.?\d+|-?\d+\.?"
            return "" if re.fullmatch(pattern, value) else "6"
        case "N":
            return "" if re.fullmatch(r"-?\d+", value) else "6"
        case "DT":
            return "" if _is_date(value) else "8"
        case "TM":
            return "" if re.fullmatch(r"([01]\d|2[0-3])[0-5]\d([0-5]\d(\d\d?)?)?", value) else "9"
        case _:
            return "" if value.isprintable() else "6"


def _is_date(value: str) -> bool:
    if not re.fullmatch(r"\d{8}", value):
        return False
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True


@cache
def _elements() -> dict[str, tuple[tuple[Rule | None, ...], ...]]:
    table = {}
    for line in _lines("elements"):
        name, rules = line.split(":", 1)
        table[name.strip()] = tuple(_rules(text.strip()) for text in rules.split(","))
    return table


def _rules(text: str) -> tuple[Rule | None, ...]:
    if text == "-":
        return (None,)
    if text.startswith("C >"):
        return tuple(_rule(part.strip()) for part in text.removeprefix("C >").split("&"))
    return (_rule(text),)


def _rule(text: str) -> Rule:
    usage, kind, least, most, *codes = text.split()
    allowed = frozenset(codes[0].split("|")) if codes else frozenset()
    return Rule(required=usage == "R", type=kind, least=int(least), most=int(most), codes=allowed)


@cache
def _guide(name: str) -> Node:
    """The tree of loops from its text; a bare word of the text stands for the block of that name."""
    blocks: dict[str, list[str]] = {}
    current: list[str] = []
    for line in _lines(name):
        if not line.startswith(" "):
            current = blocks.setdefault(line.strip(), [])
        else:
            current.append(line)
    return Node(name="header", required=True, most=1, children=_children(blocks["header"], 2, blocks))


def _children(lines: list[str], indent: int, blocks: dict[str, list[str]]) -> list[Node]:
    nodes: list[Node] = []
    position = 0
    while position < len(lines):
        words = lines[position].split()
        inner = position + 1
        while inner < len(lines) and len(lines[inner]) - len(lines[inner].lstrip()) > indent:
            inner += 1
        if words[0] in blocks:
            nodes += _children(blocks[words[0]], 2, blocks)
        elif words[0] == "loop":
            children = _children(lines[position + 1 : inner], indent + 2, blocks)
            nodes.append(Node(words[1], words[2] == "R", _times(words[3]), children=children))
        else:
            name, _, qualifiers = words[0].partition("*")
            allowed = frozenset(qualifiers.split("|")) if qualifiers else frozenset()
            nodes.append(Node(name, words[1] == "R", _times(words[2]), qualifiers=allowed))
        position = inner
    return nodes


def _times(word: str) -> int:
    return _WITHOUT_LIMIT if word == "*" else int(word)


def _lines(name: str) -> list[str]:
    text = (_GUIDES / f"{name}.txt").read_text()
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
