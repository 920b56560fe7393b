"""Claims, payments and the like while a file is read: their text now, their fields when somebody looks."""

import re
from functools import lru_cache
from itertools import repeat
from typing import Any

from libs.x12 import compile_read, open_loops, shapes
from libs.x12.compile_item import Irregular
from libs.x12.grammar import Loop, Node
from libs.x12.machine import Machine
from libs.x12.records import Delimiters, Source
from libs.x12.tokens import Block, Header

#: No longer text of a segment is remembered.
_LONGEST_REMEMBERED = 120


def source_of(text: str, start: int, marks: Delimiters) -> Any:
    """A record's place in its file."""
    source = _SOURCE()
    source.raw, source.start, source.end, source.delimiters = text.encode("latin-1"), start, start + len(text), marks
    source.__class__ = Source
    return source


_SOURCE = shapes.draft(Source)


class _Ends:
    """What the first segment after an item, or after a level, may be: whatever cannot be a part of it."""

    __slots__ = ("header", "names", "pattern")

    def __init__(self, machine: Machine, loop: Loop) -> None:
        inside = {node.id for inner in (loop, *_own(loop)) for node in inner.children if isinstance(node, Node)}
        self.names = set(machine.named) - inside | {loop.first.id, "SE", "ST", "GE", "GS", "IEA", "ISA"}
        self.header: Header | None = None

    def first(self, block: Block, index: int, place: int, *, after: bool) -> tuple[int, int]:
        """The first of them from (or after) the segment of this index and place in the block's text: its index and
        place, or those of the end."""
        separator = block.header.element
        if after and block.given is None:
            if self.header is not block.header:
                self.header = block.header
                letters = (re.escape("".join(sorted({name[i] for name in self.names}))) for i in (0, 1))
                names, mark = "|".join(sorted(self.names)), re.escape(block.whole)
                heads = "".join(f"[{either}]" for either in letters)
                self.pattern = re.compile(f"{mark}(?={heads})(?:{names}){re.escape(separator)}")
            return block.find(self.pattern, index, place)
        stop = index + after
        while stop < len(block.segments):
            name, mark, _ = block.segments[stop].partition(separator)
            if mark and name in self.names:
                break
            stop += 1
        return stop, block.at(stop) - block.start


def _loops(loop: Loop) -> list[Loop]:
    return [inner for child in loop.loops() for inner in (child, *_loops(child))]


def _own(loop: Loop) -> list[Loop]:
    """The loops within one, without those that are levels or items of their own."""
    own = [child for child in loop.loops() if child.kind not in ("item", "level")]
    return [inner for child in own for inner in (child, *_own(child))]


_NEW = object.__new__
#: Gives a frozen record another class.
_SET_CLASS = object.__dict__["__class__"].__set__


class Level:
    """The segments of one item, or of a level above items, taken from the blocks without looking into them; and what
    stands above it."""

    __slots__ = (
        "above",
        "begin",
        "is_item",
        "machine",
        "marks",
        "ready",
        "regular",
        "segments",
        "start",
        "step",
        "text",
    )

    def __init__(self, walk: Any, step: Any, block: Block, index: int) -> None:
        loop = step.opens[-1]
        self.is_item = loop.kind == "item"
        self.above = walk.open[loop.depth - 1]
        self.machine: Machine = walk.machine
        self.marks: Delimiters = walk.transaction.envelope.delimiters
        self.step = step
        self.begin = index
        self.segments: list[str] = []
        self.text = ""
        if self.is_item:
            self.start = block.at(index)
        else:
            self.ready: Any = None
            self.regular: Any = None
        if step.ends is None:
            step.ends = _Ends(walk.machine, loop)

    def take(self, block: Block) -> int:
        """Take the segments that the block has of it; the index of the first that is another's."""
        begin, self.begin = self.begin, 0
        place = block.at(begin) - block.start
        ends: _Ends = self.step.ends
        stop, end = ends.first(block, begin, place, after=not self.segments)
        taken = block.segments[begin:stop]
        self.segments = self.segments + taken if self.segments else taken
        if self.is_item:
            self.text += block.text[place:end]
        return stop

    def item(self) -> Any:
        """The item, to be filled in when a field of it is asked for."""
        readers = self.machine.readers
        record: Any = _NEW(readers.draft)
        record.source = source_of(self.text, self.start, self.marks)
        record._later = self.fill
        record.__class__ = readers.item
        self.text = ""
        return record

    def record(self) -> Any:
        """The draft that items beneath this level begin with."""
        if self.ready is None:
            draft = shapes.draft(self.machine.readers.compiler.item)()
            defects: list[str] = []
            self._run(draft, defects)
            self.ready = draft
        return self.ready

    def changed(self) -> Any:
        """The same draft, to be added to by a segment that stands elsewhere."""
        self.regular = False
        return self.record()

    def fill(self, item: Any) -> None:
        """Read an item's segments into its fields, in place."""
        readers = self.machine.readers
        source = item.source
        _SET_CLASS(item, readers.draft)
        item._later = None
        try:
            self._whole(item)
        except (ValueError, AttributeError, IndexError):
            item.__init__()
            item.source = source
            defects: list[str] = []
            self._run(item, defects)
            if defects:
                item.defects = tuple(defects)
            readers.finish(item)

    def _whole(self, draft: Any) -> None:
        """Read all segments at once, if they and those above stand as the guide has them; else `ValueError`."""
        above = self.above
        if above.__class__ is Level:
            if above.regular is None:
                regular = _NEW(self.machine.readers.draft)
                above.regular = False
                above._whole(regular)
                above.regular = regular
            above = above.regular
        elif above.__class__ is self.machine.readers.draft:
            above = False
        if above is False:
            raise Irregular(self.step.node.id)
        if self.step.whole is None:
            self.step.whole = self.machine.readers.whole(self.step, self.machine.named)
        it = map(str.split, self.segments, repeat(self.marks.element))
        self.step.whole(next(it), it, draft, above)

    def _run(self, item: Any, defects: list[str]) -> None:
        above = self.above.record() if self.above.__class__ is Level else self.above
        loop = self.step.opens[-1]
        if above.__class__ is item.__class__:
            _inheritance(self.machine, id(loop))(item, above)
        records = [None] * 14
        records[loop.depth] = item
        run(self, records, item, loop.depth, defects)


@lru_cache(maxsize=64)
def _inheritance(machine: Machine, loop_id: int) -> Any:
    loop = next(loop for loop in _loops(machine.spec.root) if id(loop) == loop_id)
    return open_loops.inheritance(loop, machine.readers.compiler)


def run(level: Level, records: list[Any], item: Any, depth: int, defects: list[str]) -> None:
    """Read the segments into the records, one after the other."""
    machine, step, separator = level.machine, level.step, level.marks.element
    texts = iter(level.segments)
    _read(step, next(texts).split(separator), records, item, machine, defects)
    follow = step.state.follow
    for text in texts:
        known = follow.remembered.get(text)
        if known is not None:
            e, step, made = known
        else:
            e = text.split(separator)
            try:
                position, table = follow[e[0]]
                step = table[e[position]]
            except (KeyError, IndexError):
                compile_read.keep_segment(e, item, None)
                continue
            made = step.make(e) if step.make is not None else None
            if step.room > 0 and len(text) < _LONGEST_REMEMBERED:
                step.room -= 1
                follow.remembered[text] = e, step, made
        if step.moves:
            if step.keep < depth:
                compile_read.keep_segment(e, item, None)
                continue
            for opener in step.openers:
                opener[3](records)
        if made is not None:
            step.join(records[step.depth], made)
        else:
            try:
                step.read(e, records[step.depth], item)
            except (ValueError, AttributeError, IndexError):
                _reread(step, e, records, item, machine, defects)
        follow = step.state.follow


def _read(step: Any, e: list[str], records: list[Any], item: Any, machine: Machine, defects: list[str]) -> None:
    try:
        step.read(e, records[step.depth], item)
    except (ValueError, AttributeError, IndexError):
        _reread(step, e, records, item, machine, defects)


def _reread(step: Any, e: list[str], records: list[Any], item: Any, machine: Machine, defects: list[str]) -> None:
    """Read a segment whose values cannot be converted: note them, keep the rest."""
    found: list[str] = []
    try:
        machine.readers.tolerant(step, found)(e, records[step.depth], item)
    except (ValueError, AttributeError, IndexError):
        found.append("unreadable")
    defects += [f"{e[0]}: {defect!r}" for defect in found[:20]]
