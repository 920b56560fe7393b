"""One transaction as it is written: its items under their levels, counted and checked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from libs.x12.compile_write import WriteCompiler
from libs.x12.grammar import Loop
from libs.x12.levels import Level, first_item_loops, item_loops, name_level
from libs.x12.merge import merge
from libs.x12.records import Contact
from libs.x12.unwritable import Unwritable, check_values
from libs.x12.writer_parts import key_of


class Writing:
    """One transaction being written."""

    def __init__(self, compiler: WriteCompiler, record: Any) -> None:
        self.compiler = compiler
        self.record = record
        self.out: list[str] = []
        self.values: list[str] = []
        self.item: Any = None
        self.level = ""
        self.line = 0
        self._count = 0
        self._parents: list[tuple[int, int]] = []
        """(number, index in `out`) of the hierarchical levels that are open."""
        self._open: list[tuple[Loop, Any, int]] = []
        """(loop, the item that opened it, hierarchical levels open before it)."""
        self._levels = {id(loop): Level(loop, compiler) for loop in item_loops(compiler.spec.root)}
        self._outermost = first_item_loops(compiler.spec.root)
        self._below = {
            key: sorted(
                (child for child in level.loop.loops() if child.kind in ("item", "level")),
                key=lambda loop: not self._levels[id(loop)].keys,
            )
            for key, level in self._levels.items()
        }
        """The levels and items that may follow a level, those that a party tells apart first."""
        self._names: dict[int, str] = {}

    def run(self) -> list[str]:
        """The segments of the transaction, without ST and SE."""
        self.compiler.writers[id(self.compiler.spec.root)](self.record, self.out, self)
        if self.record.extra if hasattr(self.record, "extra") else ():
            merge(self.compiler.spec.root, self.record.extra, self.out, 0, self.compiler)
        return self.out

    def items(self) -> None:
        """Write the items, sharing the levels that neighbours have in common."""
        for item in getattr(self.record, self.compiler.spec.items):
            self.item = item
            self._write_item(item)
            check_values(self.values, self.compiler.marks, item)
            self.values.clear()
        self._close(0)

    def _write_item(self, item: Any) -> None:
        path = self._path(item)
        if not path:
            raise Unwritable(f"nothing to write of {type(item).__name__}")
        shared = 0
        while shared < min(len(path) - 1, len(self._open)):
            loop, opener, _ = self._open[shared]
            if loop is not path[shared] or not self._levels[id(loop)].same(opener, item):
                break
            shared += 1
        self._close(shared)
        leaf_key = id(path[-1])
        if leaf_key not in self._names:
            self._names[leaf_key] = name_level(path)
        self.level = self._names[leaf_key]
        for position, loop in enumerate(path[shared:], shared):
            self._open.append((loop, item, len(self._parents)))
            leaf = position == len(path) - 1
            if leaf and not loop.hierarchical and self._as_read(item):
                continue
            target = item if leaf else self._levels[id(loop)].only(item)
            self.compiler.writers[id(loop)](target, self.out, self)
        self._open.pop() if path else None

    def _as_read(self, item: Any) -> bool:
        """Write an item that was read and never changed with the segments that it had.

        A changed copy (`dataclasses.replace`) has no source and is written from its fields."""
        source = getattr(item, "source", None)
        marks = self.compiler.marks
        if source is None or replace(source.delimiters, line_break="") != replace(marks, line_break=""):
            return False
        self.out += [marks.element.join(segment) for segment in source.segments]
        return True

    def _close(self, keep: int) -> None:
        while len(self._open) > keep:
            del self._parents[self._open.pop()[2] :]

    def _path(self, item: Any) -> list[Loop]:
        """The loops that lead to the item, outermost first."""
        path: list[Loop] = []
        choices = self._outermost
        while choices:
            for chosen in choices:
                if self._levels[id(chosen)].present(item):
                    break
            else:
                break
            path.append(chosen)
            choices = self._below[id(chosen)]
        if not path or path[-1].kind != "item":
            lacking = [name for loop in choices for name in sorted(self._levels[id(loop)].keys)]
            raise Unwritable(f"{type(item).__name__} lacks {' or '.join(lacking) or 'its levels'}")
        return path

    def hl(self, out: list[str], code: str, child: str) -> None:
        """Open a hierarchical level under the innermost one that is open."""
        self._count += 1
        mark = self.compiler.marks.element
        parent = ""
        if self._parents:
            number, index = self._parents[-1]
            parent = str(number)
            head, _, flag = out[index].rpartition(mark)
            if flag == "0":
                out[index] = f"{head}{mark}1"
        self._parents.append((self._count, len(out)))
        out.append(mark.join(("HL", str(self._count), parent, code, child)).rstrip(mark))

    def nested(self, write: Any, record: Any, out: list[str]) -> None:
        """A hierarchical level that is a part of the item."""
        depth = len(self._parents)
        write(record, out, self)
        del self._parents[depth:]

    def day(self, value: datetime | None) -> str:
        """BHT04."""
        return f"{value or self.record.envelope.created:%Y%m%d}"

    def time(self, value: datetime | None) -> str:
        """BHT05; seconds only when there are any."""
        moment = value or self.record.envelope.created
        return f"{moment:%H%M%S}" if moment.second else f"{moment:%H%M}"

    def contact(self, contact: Contact, codes: Sequence[str]) -> str:
        """A PER; its function is the guide's own where there is but one."""
        pairs = (
            ("TE", contact.phone), ("EX", contact.extension), ("FX", contact.fax), ("EM", contact.email),
            ("UR", contact.url),
        )  # fmt: skip
        function = contact.function if contact.function in codes or not codes else codes[0]
        numbers = [text for kind, number in pairs if number for text in (kind, number)]
        self.values.append("".join((contact.name, *numbers)))
        mark = self.compiler.marks.element
        return mark.join(("PER", function, contact.name, *numbers[:6])).rstrip(mark)

    def misplaced(self, loop: str, path: str, record: Any) -> None:
        """A record of a collection that no segment of the loop may carry."""
        if path == "contacts":
            return
        code = getattr(record, key_of(path))
        raise Unwritable(f"loop {loop} has no place for {path} with the code {code!r}")

    def lacking(self, loop: str, name: str, place: str = "") -> None:
        """Something required is not there."""
        raise Unwritable(f"loop {loop} needs {name}" + (f" ({place})" if place else ""))

    def surplus(self, loop: str, name: str, room: int) -> None:
        """There are more values than the segment has elements for."""
        raise Unwritable(f"loop {loop} has room for {room} {name} only")

    def merge(self, loop: Loop, record: Any, out: list[str], start: int) -> None:
        """Put the record's extra segments where the guide has them."""
        merge(loop, record.extra, out, start, self.compiler)
