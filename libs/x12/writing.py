"""Writing: records to an interchange, with every count, hierarchy and control number in place."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from libs.x12 import compile_write, shapes
from libs.x12.compile_write import WriteCompiler
from libs.x12.grammar import Loop
from libs.x12.merge import merge
from libs.x12.open_loops import heads
from libs.x12.records import (
    ClaimAcknowledgement,
    ClaimFile,
    Contact,
    Delimiters,
    EligibilityInquiry,
    EligibilityResponse,
    Envelope,
    InterchangeAcknowledgement,
    OtherTransaction,
    Record,
    Remittance,
    StatusInquiry,
    StatusResponse,
    SyntaxAcknowledgement,
)
from libs.x12.unwritable import Unwritable

SETS = {
    Remittance: "835", EligibilityInquiry: "270", EligibilityResponse: "271", StatusInquiry: "276",
    StatusResponse: "277", ClaimAcknowledgement: "277CA", SyntaxAcknowledgement: "999",
}  # fmt: skip
#: The guides allow no more claims in one ST.
MOST_CLAIMS = 5000


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
        self._levels = {id(loop): _Level(loop, compiler) for loop in _item_loops(compiler.spec.root)}
        self._outermost = _first_item_loops(compiler.spec.root)
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
            self._names[leaf_key] = _name_level(path)
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
        code = getattr(record, compile_write.key_of(path))
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


class _Level:
    """What one level of the hierarchy takes from an item."""

    def __init__(self, loop: Loop, compiler: WriteCompiler) -> None:
        self.loop = loop
        item = compiler.base.item
        assert item
        known = shapes.fields(item)
        self.heads = heads(loop, compiler.base)
        self.keys = {name for name in self.heads if known[name].kind == "record" and not known[name].many}
        if loop.leaf:
            self.keys = set()
        self.shared = sorted(self.keys)
        self.blank = shapes.draft(item)
        self.all = list(known)
        self.always = loop.usage == "R" or (not loop.hierarchical and loop.kind == "level")
        self.known = known
        self.telling = [name for name in self.heads if known[name].default in ("", None, ())]
        """Fields without a standing value: one of them filled tells that the level is there."""

    def present(self, item: Any) -> bool:
        """The item has something to say at this level."""
        if self.always:
            return True
        if self.keys:
            return any(getattr(item, name) is not None for name in self.keys)
        return any(getattr(item, name) not in ("", None, ()) for name in self.telling)

    def same(self, one: Any, other: Any) -> bool:
        """Both items may hang under one such level: as in the file that they were read from, else where they agree."""
        from_file = one.source is not None and other.source is not None
        for name in self.shared:
            left, right = getattr(one, name), getattr(other, name)
            if left is not right and (from_file or left != right):
                return False
        return True

    def only(self, item: Any) -> Any:
        """The item reduced to what stands at this level when something deeper follows."""
        draft = self.blank()
        for name in self.keys:
            setattr(draft, name, getattr(item, name))
        if self.keys and "rejections" in self.known:
            draft.rejections = tuple(x for x in item.rejections if x.level == self.loop.id)
        if "extra" in self.known and item.extra:
            draft.extra = item.extra
        return draft


def _item_loops(loop: Loop) -> Iterable[Loop]:
    for child in loop.loops():
        if child.kind in ("item", "level"):
            yield child
        yield from _item_loops(child)


def _first_item_loops(loop: Loop) -> list[Loop]:
    found: list[Loop] = []
    for child in loop.loops():
        if child.kind in ("item", "level"):
            found.append(child)
        elif child.kind == ".":
            found += _first_item_loops(child)
    return found


def _name_level(path: list[Loop]) -> str:
    """Where a rejection without a level of its own stands: beside the name of the innermost person."""
    named = [loop for loop in path if loop.id in ("2000A", "2000B", "2000C", "2000D")]
    inner = next((child.id for child in named[-1].loops() if child.first.id == "NM1"), named[-1].id) if named else ""
    return inner


def check_values(values: list[str], marks: Delimiters, item: Any) -> None:
    """Refuse a delimiter, or a character outside the basic and extended sets, within a value."""
    found = _forbidden(marks).search("".join(values))
    if found:
        number = getattr(item, "pcn", "") or type(item).__name__
        raise Unwritable(f"the character {found[0]!r} in a value of {number} cannot be sent")


_PATTERNS: dict[Delimiters, re.Pattern[str]] = {}


def _forbidden(marks: Delimiters) -> re.Pattern[str]:
    if marks not in _PATTERNS:
        allowed = set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!\"&'()*+,-./:;?= abcdefghijklmnopqrstuvwxyz%@[]_{}\\|<>~^`#$"
        )
        allowed -= {marks.element, marks.component, marks.repetition, marks.segment}
        _PATTERNS[marks] = re.compile("[^" + re.escape("".join(sorted(allowed))) + "]")
    return _PATTERNS[marks]


def set_of(record: Record) -> str:
    """The set that a record is written as."""
    own = getattr(record, "set", "") if not isinstance(record, SyntaxAcknowledgement) else ""
    return own or SETS[type(record)]


def write(*records: Record) -> bytes:
    """One interchange holding these transactions, grouped by their kind; `Unwritable` for what cannot be sent.

    The first record's envelope is the interchange's. A claim file of more than 5,000 claims is split."""
    if not records:
        raise Unwritable("no transaction to write")
    envelope = records[0].envelope
    marks = envelope.delimiters if envelope.delimiters.repetition else replace(envelope.delimiters, repetition="^")
    parts = [part for record in records for part in _split(record)]
    body: list[str] = []
    groups = 0
    for run in _runs(parts):
        if isinstance(run[0], InterchangeAcknowledgement):
            body += [_ta1(record, marks) for record in run]
        else:
            groups += 1
            body += _group(run, envelope, marks, groups)
    control = f"{envelope.control_number:09d}"
    lines = [_isa(envelope, marks), *body, marks.element.join(("IEA", str(groups), control))]
    end = marks.segment + marks.line_break
    return (end.join(lines) + end).encode("latin-1")


def _split(record: Record) -> list[Record]:
    if not isinstance(record, ClaimFile) or len(record.claims) <= MOST_CLAIMS:
        return [record]
    return [
        replace(record, claims=record.claims[at : at + MOST_CLAIMS]) for at in range(0, len(record.claims), MOST_CLAIMS)
    ]


def _runs(records: list[Any]) -> list[list[Any]]:
    """Neighbours of the same set and guide share a functional group."""
    runs: list[list[Any]] = []
    for record in records:
        kind = (type(record), getattr(record, "set", ""))
        if runs and (type(runs[-1][0]), getattr(runs[-1][0], "set", "")) == kind:
            runs[-1].append(record)
        else:
            runs.append([record])
    return runs


def _group(records: list[Any], envelope: Envelope, marks: Delimiters, place: int) -> list[str]:
    """GS to GE."""
    first = records[0]
    if isinstance(first, OtherTransaction):
        raise Unwritable(f"a transaction of the set {first.set!r} has no specification to write it by")
    compiler = compile_write.writers(set_of(first), marks)
    spec = compiler.spec
    own = first.envelope
    version = own.version if "X" in own.version and not own.version.startswith("004") else spec.guides[0]
    number = str((own.group_control_number or envelope.control_number) + place - 1)
    made = (
        f"{envelope.created:%Y%m%d}",
        f"{envelope.created:%H%M%S}" if envelope.created.second else f"{envelope.created:%H%M}",
    )
    mark = marks.element
    sender, receiver = own.group_sender_id or own.sender_id, own.group_receiver_id or own.receiver_id
    out = [mark.join(("GS", spec.group, sender, receiver, *made, number, "X", version))]
    used: set[str] = set()
    for record in records:
        control = _control(record.envelope.transaction_control, used)
        writing = Writing(compiler, record)
        body = writing.run()
        check_values(writing.values, marks, record)
        st = ("ST", spec.st, control, version) if spec.st03 else ("ST", spec.st, control)
        out += [mark.join(st), *body, mark.join(("SE", str(len(body) + 2), control))]
    out.append(mark.join(("GE", str(len(records)), number)))
    return out


def _control(wanted: str, used: set[str]) -> str:
    """ST02, unique in its group."""
    control = wanted
    while control in used:
        control = f"{int(control) + 1:0{len(control)}d}" if control.isdigit() else f"{len(used) + 1:04d}"
    used.add(control)
    return control


def _isa(envelope: Envelope, marks: Delimiters) -> str:
    """The interchange's header, every element at its fixed length."""
    for name, value in (("sender_id", envelope.sender_id), ("receiver_id", envelope.receiver_id)):
        if not 1 <= len(value) <= 15 or _forbidden(marks).search(value):
            raise Unwritable(f"{name} {value!r} must be 1 to 15 characters")
    if not 0 <= envelope.control_number <= 999_999_999:
        raise Unwritable(f"control number {envelope.control_number} has more than nine digits")
    made = envelope.created
    return marks.element.join(
        (
            "ISA", "00", " " * 10, "00", " " * 10, envelope.sender_qualifier, envelope.sender_id.ljust(15),
            envelope.receiver_qualifier, envelope.receiver_id.ljust(15), f"{made:%y%m%d}", f"{made:%H%M}",
            marks.repetition, "00501", f"{envelope.control_number:09d}",
            "1" if envelope.acknowledgment_requested else "0", envelope.usage, marks.component,
        )
    )  # fmt: skip


def _ta1(record: InterchangeAcknowledgement, marks: Delimiters) -> str:
    made = record.interchange_created
    return marks.element.join(
        ("TA1", f"{record.control_number:09d}", f"{made:%y%m%d}", f"{made:%H%M}", record.code, record.note)
    )
