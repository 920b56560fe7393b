"""A level that was accepted as a whole: its segments are put in their places only if somebody asks for them."""

from typing import Any

from libs.x12.parts import Part, Seg
from libs.x12.units import Match, Unit

_LATER = frozenset(["segs", "ids", "kids", "kinds", "counts"])
_UNKNOWN = frozenset(["adjustments", "dated", "memo"])


class Accepted(Part):
    """A level in which nothing is wrong."""

    __slots__ = ("caught", "head_seg", "made", "step", "texts", "unit")

    def __init__(self, unit: Unit, parent: Part, step: Any, seg: Seg, matched: Match, texts: list[str]) -> None:
        self.unit = unit
        self.loop = unit.loop
        self.parent = parent
        self.step = step
        self.head_seg = seg
        _, self.caught, _, self.made = matched
        self.texts = texts
        self.begun = {}
        self.number = seg[0][1] if unit.loop.numbered else None
        self.said = self.made.tell(self.caught)

    def __getattr__(self, name: str) -> Any:
        if name in _LATER:
            self._fill()
        elif name in _UNKNOWN:
            self.adjustments = self.dated = self.memo = None
        else:
            raise AttributeError(name)
        return getattr(self, name)

    def _fill(self) -> None:
        """Put its segments where they belong."""
        self.segs, self.ids, self.kids, self.kinds, self.counts = [], {}, [], {}, {}
        marks, step = self.unit.marks, self.step
        seg = self.head_seg
        self.take(seg, step.key)
        open_: list[Part] = [self]
        _, _, index, offset = seg
        for before, text in zip(self.texts, self.texts[1:], strict=False):
            e = text.split(marks.element)
            index, offset = index + 1, offset + len(before) + len(marks.end)
            position, table = step.follow[e[0]]
            step = table[e[position]]
            seg = e, step.node, index, offset
            del open_[step.keep - self.loop.depth + 1 :]
            for loop in step.opens:
                part = Part(loop, open_[-1])
                open_[-1].add(part, seg)
                open_.append(part)
            open_[-1].take(seg, step.key)
