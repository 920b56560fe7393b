"""Where a segment belongs: from the specification, which place follows which."""

import re
from dataclasses import dataclass, field
from typing import Any

from libs.x12.grammar import QUALIFIED, Loop, Node, Spec

#: Texts of one segment at one place that are remembered.
MOST_REMEMBERED = 200
_LEADING = re.compile(r"[A-Za-z0-9]*")


@dataclass(slots=True, eq=False)
class State:
    """The machine after a segment was placed at a node; its tables fill as they are asked."""

    node: Node | None
    loop: Loop
    machine: "Machine"
    follow: "Follow" = field(init=False)

    def __post_init__(self) -> None:
        self.follow = Follow(self)


@dataclass(slots=True, eq=False)
class Step:
    """A move to a node: which loops it opens, outermost first, and what comes next."""

    node: Node
    opens: tuple[Loop, ...]
    state: State
    quality: str
    """Empty where the guide allows it, ``order`` for the right loop at the wrong place, ``code`` for an unknown
    qualifier, ``place`` for a segment that stands in another loop than it should."""
    keep: int
    """Depth of the innermost loop that stays open."""
    moves: bool
    """The segment stands in another loop than its predecessor."""
    key: int = 0
    """What its node is counted by."""
    follow: "Follow" = field(init=False)
    """What comes next."""
    depth: int = 0
    read: Any = None
    """The compiled reader of the segment."""
    make: Any = None
    """Makes the small records that the segment is, if it is nothing else; the same text is the same records."""
    join: Any = None
    """Gives them to the loop's record."""
    unit: Any = None
    """How the loop that it opens is accepted as a whole, if that may be."""
    room: int = 0
    """So many more of its texts are remembered."""
    openers: tuple[Any, ...] = ()
    """For each loop that it opens: (its depth, 1 for an item or 2 for one that is always a leaf, whether it is a
    level or item, its opener)."""
    now: tuple[Any, ...] = ()
    """Those of them that open when a file is read; what waits is filled in later, if at all."""
    waits: bool = False
    """It opens a level above items, or an item that is no level itself: neither is read before it is used."""
    ends: Any = None
    """If it waits, what the first segment after it may be."""
    whole: Any = None
    """If it waits, what reads the whole level or item."""

    def __post_init__(self) -> None:
        self.follow = self.state.follow
        self.room = 0 if self.quality else MOST_REMEMBERED


class Follow(dict[str, tuple[int, "Table"]]):
    """Segment id to (position of the qualifier or 0, table of steps)."""

    __slots__ = ("remembered", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.remembered: dict[str, tuple[list[str], Step, Any]] = {}
        """Whole segments that were met here before, with the records that they became, if they are records."""

    def __missing__(self, segment: str) -> "tuple[int, Table]":
        nodes = self.state.machine.named.get(segment)
        if not nodes:
            raise KeyError(segment)
        position = max(node.qualifier[0] for node in nodes)
        found = (position, Table(self.state, segment))
        self[segment] = found
        return found


class Table(dict[str, Step]):
    """Qualifier (the segment's id where there is none) to the step."""

    __slots__ = ("segment", "state")

    def __init__(self, state: State, segment: str) -> None:
        self.state = state
        self.segment = segment

    def __missing__(self, value: str) -> Step:
        step = self.state.machine.find(self.state, self.segment, value)
        if step is None:
            raise KeyError(value)
        if len(self) < 500:
            self[value] = step
        return step


class Machine:
    """All places of one set, and the way from each to the next."""

    def __init__(self, spec: Spec, readers: Any = None) -> None:
        self.spec = spec
        self.readers = readers
        self.named: dict[str, list[Node]] = {}
        self.states: dict[int, State] = {}
        self._collect(spec.root)
        self.start = State(None, spec.root, self)

    def _collect(self, loop: Loop) -> None:
        for node in loop.nodes():
            self.named.setdefault(node.id, []).append(node)
        for child in loop.loops():
            self._collect(child)

    def state(self, node: Node) -> State:
        """The state after that node."""
        if id(node) not in self.states:
            self.states[id(node)] = State(node, node.loop, self)
        return self.states[id(node)]

    def find(self, state: State, segment: str, value: str) -> Step | None:
        """The best place for a segment: as the guide has it, else in the wrong order, else with an unknown
        qualifier, else in another loop; None when the set has no such segment."""
        found = self._search(state, segment, value, onwards=True)
        if found:
            return self._step(state, *found, "")
        found = self._search(state, segment, value, onwards=False)
        if found:
            ahead = self._due(state, segment, found)
            return self._step(state, *ahead, "code") if ahead else self._step(state, *found, "order")
        found = self._guess(state, segment, value)
        if found:
            return self._step(state, *found, "code")
        found = self._nearest(state, segment, value)
        return self._step(state, *found, "place") if found else None

    def into(self, loop: Loop, node: Node) -> Step:
        """The step that opens a loop with another segment than its first."""
        return self._step(self.state(node), node, (loop,), "place")

    def _step(self, state: State, node: Node, opens: tuple[Loop, ...], quality: str) -> Step:
        keep = _kept(node, opens)
        moves = bool(opens) or node.loop is not state.loop
        step = Step(node, opens, self.state(node), quality, keep, moves, id(node))
        if self.readers is not None:
            self.readers.attach(step)
        return step

    def _search(self, state: State, segment: str, value: str, *, onwards: bool) -> "Place | None":
        """Look in the current loop, then in each loop around it; onwards only, or without regard to order."""
        loop: Loop | None = state.loop
        ordinal = state.node.ordinal if state.node else 0
        while loop is not None:
            found = _within(loop, segment, value, ordinal if onwards else -1)
            if found:
                return found
            ordinal, loop = loop.ordinal, loop.parent
        return None

    def _guess(self, state: State, segment: str, value: str) -> "Place | None":
        """A qualifier that no namesake nearby has: the next place that the same segment may take."""
        if any(_matches(node, value) for node in self.named[segment]):
            return None
        return self._ahead(state, segment, None)

    def _due(self, state: State, segment: str, back: "Place") -> "Place | None":
        """Where a place further back would leave the current level: the place ahead that requires such a segment."""
        level: Loop | None = state.loop
        while level is not None and not level.hierarchical:
            level = level.parent
        if level is None or segment == "HL" or _kept(*back) >= level.depth:
            return None
        ahead = self._ahead(state, segment, level.parent)
        if ahead is None:
            return None
        due = ahead[1][0].leaf or ahead[1][0].usage == "R" if ahead[1] else ahead[0].usage == "R"
        return ahead if due else None

    def _ahead(self, state: State, segment: str, end: Loop | None) -> "Place | None":
        """The next place that the same segment may take, whatever its qualifier, within the loops below `end`."""
        loop: Loop | None = state.loop
        after: Node | Loop | None = state.node
        while loop is not end and loop is not None:
            start = next((i for i, child in enumerate(loop.children) if child is after), -1)
            for child in loop.children[start:] if start > 0 else loop.children[1:]:
                if isinstance(child, Node) and child.id == segment:
                    return child, ()
                if isinstance(child, Loop) and child.first.id == segment and child is not after:
                    return child.first, (child,)
            after, loop = loop, loop.parent
        return None

    def _nearest(self, state: State, segment: str, value: str) -> "Place | None":
        """The place that takes the fewest loops to reach, whatever the guide says."""
        candidates = [node for node in self.named[segment] if _matches(node, value)]
        if not candidates:
            return None
        paths = [(node, self._path(state, node)) for node in candidates]
        return min(paths, key=lambda path: len(path[1]) + state.loop.depth - _kept(*path))

    def _path(self, state: State, node: Node) -> tuple[Loop, ...]:
        """The loops to open so as to stand in the node's own."""
        around = set()
        loop: Loop | None = state.loop
        while loop is not None:
            around.add(id(loop))
            loop = loop.parent
        opens: list[Loop] = []
        loop = node.loop
        while loop is not None and (id(loop) not in around or (not opens and node is loop.children[0])):
            opens.insert(0, loop)
            loop = loop.parent
        return tuple(opens)


Place = tuple[Node, tuple[Loop, ...]]


def _kept(node: Node, opens: tuple[Loop, ...]) -> int:
    """Depth of the innermost loop that stays open."""
    return opens[0].depth - 1 if opens else node.loop.depth


def _within(loop: Loop, segment: str, value: str, ordinal: int) -> Place | None:
    """A place in this loop at or after the ordinal: its own segment, or the opening one of a child loop.

    A loop's first segment is found from its parent, so that it opens the loop anew."""
    any_value: Place | None = None
    for position, child in enumerate(loop.children):
        if child.ordinal < ordinal:
            continue
        if isinstance(child, Node):
            if child.id != segment or not (position or loop.parent is None) or not _matches(child, value):
                continue
            found: Place = (child, ())
        elif child.first.id == segment and _matches(child.first, value):
            found = (child.first, (child,))
        else:
            continue
        if found[0].qualifier[0] or segment not in QUALIFIED:
            return found
        any_value = any_value or found
    return any_value


def _matches(node: Node, value: str) -> bool:
    position, codes = node.qualifier
    if not position or value in codes:
        return True
    head = _LEADING.match(value)
    return node.id == "HI" and head is not None and head[0] in codes
