"""Reading: a file of any size as transactions, a transaction as its items, an item as a frozen record."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from libs.x12 import compile_read, convert, grammar, shapes
from libs.x12.findings import Finding
from libs.x12.machine import Machine
from libs.x12.records import (
    Delimiters,
    Envelope,
    InterchangeAcknowledgement,
    OtherTransaction,
    Record,
    Segment,
    Source,
)
from libs.x12.route import route
from libs.x12.tokens import Block, Header, InputSource, blocks

R = TypeVar("R")


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


class Reading:
    """A file being read, lazily; `records` and `one` read it all."""

    def __init__(self, source: InputSource) -> None:
        self.source = source
        self._notes: list[Finding] = []
        self._records: tuple[Record, ...] | None = None

    def __iter__(self) -> Iterator[Transaction]:
        """The transactions in the order of the file; each must be used before the next is asked for."""
        events = _Walk(self.source).events()
        current: Transaction | None = None
        for event in events:
            if isinstance(event, Transaction) and event is not current:
                current = event
                event._events = events
                yield event

    @property
    def records(self) -> tuple[Record, ...]:
        """Every transaction as its typed record, in the order of the file."""
        if self._records is None:
            self._records = tuple(transaction.record for transaction in self)
        return self._records

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the file (the same as `check` finds)."""
        from libs.x12.checking import check

        return check(self.source).findings

    def one(self, kind: type[R]) -> R:
        """The only transaction of that record type; `ValueError` when there is none or more than one."""
        found = [record for record in self.records if isinstance(record, kind)]
        if len(found) != 1:
            raise ValueError(f"{len(found)} transactions of type {kind.__name__}, not one")
        return found[0]


_NOWHERE: dict[str, Any] = {}


class _Walk:
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

    def events(self) -> Iterator[Any]:
        """Transactions, their items, and each transaction again where it ends."""
        pending: Any = None
        depth = -1
        target: Any = None
        kept = ""
        began = 0
        for block in blocks(self.source):
            mark = 0
            separator = block.header.element
            self.header = block.header
            follow = self.follow
            records = self.open
            for index, text in enumerate(block.segments):
                e = text.split(separator)
                try:
                    position, table = follow[e[0]]
                    step = table[e[position]]
                except (KeyError, IndexError):
                    self.follow = follow
                    if e[0] in ("SE", "ST", "ISA", "GE", "IEA", "GS"):
                        if pending is not None:
                            yield self._finish(pending, block, mark, index, kept, began)
                            pending, depth, kept = None, -1, ""
                        yield from self._envelope(block, index, e)
                        follow, records, target = self.follow, self.open, None
                    elif self.machine is not None:
                        self._stray(e, records)
                    elif e[0] == "TA1":
                        yield from self._interchange_verdict(e)
                    elif self.transaction is not None:
                        self.transaction.header = replace(
                            self.transaction.header, segments=(*self.transaction.header.segments, tuple(e))
                        )
                    continue
                if step.moves:
                    if step.keep < depth:
                        yield self._finish(pending, block, mark, index, kept, began)
                        pending, depth, kept = None, -1, ""
                    for level, is_item, prepares, opener in step.openers:
                        record = opener(records)
                        if prepares:
                            target = record
                        if is_item:
                            if pending is None or is_item == 2:
                                mark, kept, began = index, "", block.start if index == 0 else -1
                            pending, depth = record, level
                try:
                    step.read(e, records[step.node.loop.depth], target)
                except (ValueError, AttributeError, IndexError):
                    self._reread(step, e, records, target)
                follow = step.state.follow
            self.follow = follow
            if pending is not None:
                if not kept:
                    began = block.offsets[mark]
                kept += block.text[max(0, block.offsets[mark] - block.start) if mark or not kept else 0 :]
                mark = 0
        if pending is not None:
            yield self._finish(pending, None, 0, 0, kept, began)
        if self.transaction is not None:
            yield self.transaction

    def _finish(self, record: Any, block: Block | None, mark: int, index: int, kept: str, began: int) -> Any:
        """The item as a frozen record, with its bytes."""
        if block is None:
            text, start = kept, began
        else:
            end = block.offsets[index] - block.start
            if kept:
                text, start = kept + block.text[:end], began
            else:
                start = block.offsets[mark]
                text = block.text[start - block.start : end]
        record.source = Source(
            raw=text.encode("latin-1"),
            start=start,
            end=start + len(text),
            delimiters=self.transaction.envelope.delimiters if self.transaction else Delimiters(),
        )
        if self.defects:
            record.defects, self.defects = tuple(self.defects), []
        assert self.machine is not None
        shapes.finisher(self.machine.readers.compiler.item)(record)
        return record

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
        version = _at(st, 3) or _at(self.gs, 8)
        name = route(_at(st, 1), version if "X" in version else _at(self.gs, 8), ahead)
        envelope = envelope_of(self.isa, self.gs, st, header)
        if name not in grammar.names():
            self.machine, self.follow = None, _NOWHERE
            other = OtherTransaction(envelope=envelope, set=name)
            self.transaction = Transaction(name, version, _at(st, 2), envelope, other)
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
        self.transaction = Transaction(name, version, _at(st, 2), envelope, record, kind, spec.items)
        return self.transaction

    def _stray(self, e: list[str], records: list[Any]) -> None:
        """A segment that the set does not know stays reachable on the transaction's record."""
        if e != [""]:
            compile_read.keep_segment(e, records[0], None)

    def _reread(self, step: Any, e: list[str], records: list[Any], target: Any) -> None:
        """Read a segment whose values cannot be converted: note them, keep the rest."""
        assert self.machine is not None
        defects: list[str] = []
        try:
            self.machine.readers.tolerant(step, defects)(e, records[step.node.loop.depth], target)
        except (ValueError, AttributeError, IndexError):
            defects.append("unreadable")
        self.defects += [f"{e[0]}: {defect!r}" for defect in defects[:20]]

    def _interchange_verdict(self, e: list[str]) -> Iterator[Any]:
        assert self.header is not None
        envelope = envelope_of(self.isa, self.gs, [], self.header)
        try:
            created = convert.stamp((_at(e, 2), _at(e, 3)))
        except ValueError:
            created = datetime(1, 1, 1)
        control = _at(e, 1)
        record = InterchangeAcknowledgement(
            envelope=envelope,
            control_number=int(control) if control.isascii() and control.isdigit() and len(control) < 18 else 0,
            interchange_created=created,
            code=_at(e, 4),
            note=_at(e, 5),
        )
        transaction = Transaction("TA1", "", control, envelope, record)
        yield transaction
        yield transaction


def _at(e: list[str], position: int) -> str:
    return e[position].strip() if len(e) > position else ""


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def envelope_of(isa: list[str], gs: list[str], st: list[str], header: Header) -> Envelope:
    """The envelope of a transaction; what cannot be read stands empty."""
    try:
        created = convert.stamp((_at(isa, 9), _at(isa, 10)))
    except ValueError:
        created = datetime(1, 1, 1)
    return Envelope(
        sender_id=_at(isa, 6),
        receiver_id=_at(isa, 8),
        control_number=_whole(_at(isa, 13)),
        created=created,
        sender_qualifier=_at(isa, 5),
        receiver_qualifier=_at(isa, 7),
        usage=_at(isa, 15),
        acknowledgment_requested=_at(isa, 14) == "1",
        group_sender_id=_at(gs, 2),
        group_receiver_id=_at(gs, 3),
        group_control_number=_whole(_at(gs, 6)),
        transaction_control=_at(st, 2),
        version=_at(st, 3) or _at(gs, 8),
        delimiters=Delimiters(
            element=header.element,
            component=header.component,
            repetition=header.repetition,
            segment=header.segment,
            line_break=header.line_break,
        ),
    )


def read(source: InputSource) -> Reading:
    """Read a file of any size; bad content never raises, a file that is not X12 at all raises `Unreadable`.

    Iterate for one transaction at a time, and a transaction for one claim at a time; or take `records`."""
    return Reading(source)


__all__ = ["Reading", "Segment", "Transaction", "envelope_of", "read"]
