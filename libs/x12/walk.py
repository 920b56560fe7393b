"""The one pass over a file that is read: its transactions as they come, and their items."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from libs.x12 import compile_read, convert, grammar, items, shapes
from libs.x12.envelope_of import at, envelope_of
from libs.x12.items import source_of
from libs.x12.machine import Machine
from libs.x12.records import Delimiters, Envelope, InterchangeAcknowledgement, OtherTransaction, Record
from libs.x12.route import route
from libs.x12.tokens import Block, Header, InputSource, blocks


@dataclass(slots=True)
class Transaction:
    """One ST to SE as it is being read; iterate it for its items, or ask for its whole record."""

    set: str
    """``837P``, ``835``, ``277CA``, …; ``TA1`` for an interchange acknowledgement."""
    guide: str
    """ST03, else GS08."""
    control: str
    envelope: Envelope
    header: Any = None
    """The record of the transaction as far as it was read; complete once the items are exhausted."""
    kind: type | None = None
    items_name: str = ""
    _events: "Iterator[Any] | None" = None
    _ended: bool = False

    def __iter__(self) -> Iterator[Any]:
        """The transaction's items (claims, payments, answers, …), one at a time and none kept."""
        while not self._ended:
            event = next(self._events, None) if self._events else None
            if event is None or event is self:
                self._ended = True
            else:
                yield event

    @property
    def record(self) -> Record:
        """The whole transaction as one record."""
        items = tuple(self)
        record = self.header
        if self.kind is None:
            return record  # type: ignore[no-any-return]
        if record.__class__ is not self.kind:
            if self.items_name:
                setattr(record, self.items_name, items)
            shapes.finisher(self.kind)(record)
        return record  # type: ignore[no-any-return]


_NOWHERE: dict[str, Any] = {}


class _Pending:
    """The item that is being read as its segments come, and the text that it had in earlier blocks."""

    def __init__(self) -> None:
        self.record: Any = None
        self.depth = -1
        self.mark = 0
        self.kept = ""
        self.start = -1

    def begin(self, block: Block, index: int) -> None:
        """It begins at this segment."""
        self.start = block.at(index)
        self.mark, self.kept = self.start - block.start, ""

    def keep(self, block: Block) -> None:
        """The block ends and the item does not."""
        self.kept += block.text[self.mark :]
        self.mark = 0

    def text(self, block: Block | None, index: int) -> tuple[str, int]:
        """All of its text, and where it began."""
        if block is not None:
            self.kept += block.text[self.mark : block.at(index) - block.start]
        return self.kept, self.start


class Walk:
    """The one pass over the file."""

    def __init__(self, source: InputSource) -> None:
        self.source = source
        self.isa: list[str] = []
        self.gs: list[str] = []
        self.machine: Machine | None = None
        self.transaction: Transaction | None = None
        self.open: list[Any] = []
        self.follow: Any = _NOWHERE
        self.header: Header | None = None
        self.defects: list[str] = []

    def events(self) -> Iterator[Any]:  # noqa: C901, PLR0912, PLR0915 - one loop, since it runs for every segment
        """Transactions, their items, and each transaction again where it ends."""
        pending = _Pending()
        lazy: items.Level | None = None
        target: Any = None
        for block in blocks(self.source):
            segments = block.segments
            separator = block.header.element
            self.header = block.header
            count, index = len(segments), 0
            while index < count or (lazy is not None and not lazy.segments):
                if lazy is not None:
                    stop = lazy.take(block)
                    if stop == count:
                        break
                    if lazy.is_item:
                        yield lazy.item()
                    else:
                        self.open[lazy.step.opens[-1].depth] = lazy
                    lazy, index = None, stop
                e = segments[index].split(separator)
                try:
                    position, table = self.follow[e[0]]
                    step = table[e[position]]
                except (KeyError, IndexError):
                    if e[0] in ("SE", "ST", "ISA", "GE", "IEA", "GS") and pending.record is not None:
                        yield self._finish(pending, block, index)
                    yield from self._other(block, index, e)
                    index += 1
                    continue
                if step.moves:
                    if step.keep < pending.depth:
                        yield self._finish(pending, block, index)
                    if step.now:
                        target = self._open(step, block, index, pending) or target
                    if step.waits:
                        lazy = items.Level(self, step, block, index)
                        pending.record, pending.depth = None, -1
                        self.follow = step.state.follow
                        index += 1
                        continue
                holder = self.open[step.depth]
                if holder.__class__ is items.Level:
                    holder = holder.changed()
                try:
                    step.read(e, holder, target)
                except (ValueError, AttributeError, IndexError):
                    self._reread(step, e, holder, target)
                self.follow = step.state.follow
                index += 1
            if pending.record is not None:
                pending.keep(block)
        if lazy is not None and lazy.is_item:
            yield lazy.item()
        if pending.record is not None:
            yield self._finish(pending, None, 0)
        if self.transaction is not None:
            yield self.transaction

    def _open(self, step: Any, block: Block, index: int, pending: "_Pending") -> Any:
        """Open the step's loops; the item or level that the innermost of them belongs to."""
        target = None
        for level, is_item, prepares, opener in step.now:
            record = opener(self.open)
            target = record if prepares else target
            if is_item:
                if pending.record is None or is_item == 2:
                    pending.begin(block, index)
                pending.record, pending.depth = record, level
        return target

    def _finish(self, pending: "_Pending", block: Block | None, index: int) -> Any:
        """The item as a frozen record, with its bytes."""
        record = pending.record
        text, start = pending.text(block, index)
        record.source = source_of(
            text, start, self.transaction.envelope.delimiters if self.transaction else Delimiters()
        )
        if self.defects:
            record.defects, self.defects = tuple(self.defects), []
        assert self.machine is not None
        self.machine.readers.finish(record)
        pending.record, pending.depth = None, -1
        return record

    def _other(self, block: Block, index: int, e: list[str]) -> Iterator[Any]:
        """A segment of the envelope, or one that the set does not know."""
        if e[0] in ("SE", "ST", "ISA", "GE", "IEA", "GS"):
            yield from self._envelope(block, index, e)
        elif self.machine is not None:
            self._stray(e, self.open)
        elif e[0] == "TA1":
            yield from self._interchange_verdict(e)
        elif self.transaction is not None:
            known = self.transaction.header
            self.transaction.header = replace(known, segments=(*known.segments, tuple(e)))

    def _envelope(self, block: Block, index: int, e: list[str]) -> Iterator[Any]:
        """Note the envelope; begin or end a transaction."""
        if self.transaction is not None and e[0] != "SE":
            yield self._end()
        if e[0] == "ISA":
            self.isa, self.gs = block.header.elements, []
        elif e[0] == "GS":
            self.gs = e
        elif e[0] == "SE" and self.transaction is not None:
            yield self._end()
        elif e[0] == "ST":
            ahead = [text.split(block.header.element) for text in block.segments[index + 1 : index + 60]]
            yield self._begin(block.header, e, ahead)

    def _end(self) -> Transaction:
        transaction, self.transaction, self.machine = self.transaction, None, None
        self.follow = _NOWHERE
        assert transaction
        return transaction

    def _begin(self, header: Header, st: list[str], ahead: list[list[str]]) -> Transaction:
        version = at(st, 3) or at(self.gs, 8)
        name = route(at(st, 1), version if "X" in version else at(self.gs, 8), ahead)
        envelope = envelope_of(self.isa, self.gs, st, header)
        if name not in grammar.names():
            self.machine, self.follow = None, _NOWHERE
            other = OtherTransaction(envelope=envelope, set=name)
            self.transaction = Transaction(name, version, at(st, 2), envelope, other)
            return self.transaction
        self.machine = compile_read.machine(name, header.component, header.repetition)
        spec = self.machine.spec
        kind = shapes.named(spec.record)
        record = shapes.draft(kind)()
        record.envelope = envelope
        if hasattr(record, "set"):
            record.set = name
        self.open = [record] + [None] * 12
        self.follow = self.machine.start.follow
        self.transaction = Transaction(name, version, at(st, 2), envelope, record, kind, spec.items)
        return self.transaction

    def _stray(self, e: list[str], records: list[Any]) -> None:
        """A segment that the set does not know stays reachable on the transaction's record."""
        if e != [""]:
            compile_read.keep_segment(e, records[0], None)

    def _reread(self, step: Any, e: list[str], holder: Any, target: Any) -> None:
        """Read a segment whose values cannot be converted: note them, keep the rest."""
        assert self.machine is not None
        defects: list[str] = []
        try:
            self.machine.readers.tolerant(step, defects)(e, holder, target)
        except (ValueError, AttributeError, IndexError):
            defects.append("unreadable")
        self.defects += [f"{e[0]}: {defect!r}" for defect in defects[:20]]

    def _interchange_verdict(self, e: list[str]) -> Iterator[Any]:
        assert self.header is not None
        envelope = envelope_of(self.isa, self.gs, [], self.header)
        try:
            created = convert.stamp((at(e, 2), at(e, 3)))
        except ValueError:
            created = datetime(1, 1, 1)  # noqa: DTZ001 - X12 times have no zone
        control = at(e, 1)
        record = InterchangeAcknowledgement(
            envelope=envelope,
            control_number=int(control) if control.isascii() and control.isdigit() and len(control) < 18 else 0,
            interchange_created=created,
            code=at(e, 4),
            note=at(e, 5),
        )
        transaction = Transaction("TA1", "", control, envelope, record)
        yield transaction
        yield transaction
