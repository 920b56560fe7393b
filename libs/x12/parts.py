"""The loops of a transaction as they are being checked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from libs.x12.grammar import Loop, Node

#: Elements, where the guide has the segment, index in the file, byte offset.
Seg = tuple[list[str], Node | None, int, int]


_NONE: list[Seg] = []
# What a loop that has no loops within it holds of them: nothing ever, and so without a list of its own.
_NO_PARTS: list["Part"] = []
_NO_KINDS: dict[str, list["Part"]] = {}
_NO_BEGUN: dict[int, tuple[Seg, int]] = {}


class Part:
    """One occurrence of a loop: its segments, the loops within it that are kept, how often each occurred."""

    __slots__ = (
        "adjustments", "begun", "counts", "dated", "ids", "kids", "kinds", "loop", "memo", "number", "parent", "said",
        "segs",
    )  # fmt: skip

    def __init__(self, loop: Loop, parent: "Part | None") -> None:
        self.loop = loop
        self.parent = parent
        self.segs: list[Seg] = []
        self.ids: dict[str, list[Seg]] = {}
        self.kids: list[Part] = [] if loop.inner else _NO_PARTS
        self.kinds: dict[str, list[Part]] = {} if loop.inner else _NO_KINDS
        """The loops within it by their ids."""
        self.counts: dict[int, int] = {}
        self.begun: dict[int, tuple[Seg, int]] = {} if loop.inner else _NO_BEGUN
        """Levels and items within it, which are not kept: where the first of each kind began, and their number."""
        self.number: str | None = None
        """HL01, of a level that begins with an HL."""
        self.said: tuple[str, ...] | None = None
        """What conditions for units beneath it ask of it, once one has asked."""
        self.adjustments: Any = None
        """Those of its own segments, once a rule has asked for them."""
        self.dated: Any = None
        """Its own days, once a rule has asked for them."""
        self.memo: Any = None
        """What the rules of this loop have worked out together."""

    def take(self, seg: Seg, key: int) -> int:
        """Add a segment of its own; how many there are of its kind now."""
        self.segs.append(seg)
        name = seg[0][0]
        if name in self.ids:
            self.ids[name].append(seg)
        else:
            self.ids[name] = [seg]
        counts = self.counts
        counts[key] = count = counts[key] + 1 if key in counts else 1
        return count

    def add(self, part: "Part", seg: Seg) -> int:
        """Add a loop within it, which begins with that segment; how many there are of its kind now."""
        key = id(part.loop)
        if not part.loop.kept:
            return self.begin(key, seg)
        counts = self.counts
        counts[key] = count = counts[key] + 1 if key in counts else 1
        self.kids.append(part)
        if part.loop.id in self.kinds:
            self.kinds[part.loop.id].append(part)
        else:
            self.kinds[part.loop.id] = [part]
        return count

    def begin(self, key: int, seg: Seg) -> int:
        """Count a level or an item within it."""
        first, count = self.begun.get(key, (seg, 0))
        self.begun[key] = first, count + 1
        return count + 1

    def count(self, key: int) -> int:
        """How many segments or loops of a kind it has."""
        if key in self.begun:
            return self.begun[key][1]
        return self.counts.get(key, 0)

    def first(self, name: str, qualifier: str = "", at: int = 1) -> Seg | None:
        """Its first segment of that id, with that qualifier if one is given."""
        found = self.ids.get(name)
        if found is None:
            return None
        if not qualifier:
            return found[0]
        for seg in found:
            if len(seg[0]) > at and seg[0][at] == qualifier:
                return seg
        return None

    def all(self, name: str, qualifier: str = "") -> list[Seg]:
        """Its segments of that id."""
        found = self.ids.get(name, _NONE)
        if not qualifier:
            return found
        return [seg for seg in found if len(seg[0]) > 1 and seg[0][1] == qualifier]

    def value(self, name: str, position: int, qualifier: str = "") -> str:
        """An element of its first such segment, or an empty text."""
        seg = self.first(name, qualifier)
        return seg[0][position] if seg and len(seg[0]) > position else ""

    def loops(self, *names: str) -> list["Part"]:
        """The loops within it that have one of these ids."""
        if len(names) == 1:
            return self.kinds.get(names[0], _NO_PARTS)
        return [kid for kid in self.kids if kid.loop.id in names]

    def up(self, *names: str) -> "Part | None":
        """The nearest loop around it that has one of these ids."""
        part = self.parent
        while part is not None and part.loop.id not in names:
            part = part.parent
        return part

    def release(self) -> None:
        """Nothing looks at it any more: let its memory go at once, without a search for cycles."""
        for kid in self.kids:
            kid.parent = None
            if kid.kids:
                kid.release()

    @property
    def head(self) -> Seg:
        """Its first segment."""
        return self.segs[0]


def at(seg: Seg | None, position: int) -> str:
    """An element of a segment, or an empty text."""
    return seg[0][position] if seg and len(seg[0]) > position else ""


@dataclass(slots=True)
class Tx:
    """The transaction being checked, and what its rules remember."""

    set: str
    guide: str
    control: str
    component: str
    repetition: str
    begin: int
    """Index of its ST in the file."""
    old: bool = False
    """It is of a version before 5010, or of a guide related to the one it is checked by."""
    today: str = ""
    """The day of the interchange, against which dates in the future are told."""
    claims: int = 0
    claim: str = ""
    """The number of the claim that is open (CLM01, CLP01)."""
    errors: int = 0
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Place:
    """Where a rule found something wrong, and what."""

    seg: Seg
    message: str
    element: int | None = None
    component: int | None = None
    value: str = ""
    x12: str = ""
    claim: str = ""
    code: str = ""
    """Another code than the rule's own."""
    segment: str = ""
    """The id of a segment that is missing before or after `seg`."""


Places = Iterator[Place]
