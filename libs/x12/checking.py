"""Checking: one pass over a file, every finding as it is met, memory that does not grow with the file."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from libs.x12 import elements, grammar, misplaced, rules, tested
from libs.x12.envelopes import Envelopes
from libs.x12.findings import Finding, Partner, Report, TransactionSummary
from libs.x12.machine import Machine
from libs.x12.marks import marks_of
from libs.x12.nesting import Nesting
from libs.x12.parts import Part, Place, Seg, Tx
from libs.x12.report import Reporter
from libs.x12.route import route
from libs.x12.tokens import Block, InputSource, Unreadable, blocks
from libs.x12.units import Unit

#: Where a transaction is not, or is one that has no specification.
_NOWHERE: dict[str, Any] = {}
_ENDS = frozenset(["SE", "ST", "GE", "GS", "IEA", "ISA"])


class Checker:
    """The state of one check."""

    def __init__(self, source: InputSource, partner: Partner | None, *, closely: bool = False) -> None:
        self.source = source
        self.closely = closely
        """No unit is accepted as a whole: each segment is looked at."""
        self.report = Reporter(partner)
        self.envelopes = Envelopes(self.report)
        self.tx: Tx | None = None
        self.machine: Machine | None = None
        self.follow: Any = _NOWHERE
        self.nesting: Nesting | None = None
        self.parts: list[Part] = []
        self.segment_rules = rules.segment_rules()
        self.ahead: tuple[int, list[str], Any] = (-1, [], None)
        """The segment after a unit that was accepted: its index, its elements, its step."""
        self.summaries: list[TransactionSummary] = []

    def findings(self) -> Iterator[Finding]:
        """Every finding, in the order in which they are met."""
        out = self.report.out
        try:
            yield from self._scan(out)
        except Unreadable as problem:
            self.report.add("UNREADABLE", 1, str(problem), offset=0, advice="Send an X12 interchange.")
            yield from out
            out.clear()

    def _scan(self, out: list[Finding]) -> Iterator[Finding]:  # noqa: C901, PLR0912, PLR0915 - runs for each segment
        begin = offset = 0
        for block in blocks(self.source):
            for code, place, detail in block.oddities:
                self.envelopes.oddity(code, place, detail, begin - 1)
            separator = block.header.element
            dirty: bool | None = None
            given, here, length = block.given, block.start, block.step
            segments = enumerate(block.segments, begin)
            for index, text in segments:
                offset = here if given is None else given[index - begin]
                here = offset + len(text) + length
                follow = self.follow
                if index == self.ahead[0]:
                    _, e, step = self.ahead
                else:
                    e = text.split(separator)
                    try:
                        position, table = follow[e[0]]
                        step = table[e[position]]
                    except (KeyError, IndexError):
                        self._other(block, index - begin, (e, None, index, offset))
                        step = None
                if step is not None and step.quality:
                    step = self._placed(block, index - begin, step, (e, step.node, index, offset))
                if step is not None:
                    seg = (e, step.node, index, offset)
                    if step.moves:
                        self.nesting.leave(step.keep, seg)  # type: ignore[union-attr]
                        if (
                            step.unit is not None
                            and not self.closely
                            and (taken := self._unit(block, index - begin, step, seg))
                        ):
                            here = block.start + taken[1]
                            next(islice(segments, taken[0] - 1, taken[0] - 1), None)
                            self.follow = step.follow
                            if out:
                                yield from out
                                out.clear()
                            continue
                        self.nesting.enter(step.opens, seg)  # type: ignore[union-attr]
                    part = self.parts[-1]
                    if part.take(seg, step.key) > step.node.repeat:
                        self.report.structure("SEGMENT_REPEAT", seg, part.loop.id, high=step.node.repeat)
                    self.follow = step.follow
                    look = step.read
                    if look[len(e)](e, text):
                        for rule in look.rules:
                            self._run(rule, seg, part)
                    else:
                        self._elements(look.test, seg, part)
                if not (text.isascii() and text.isprintable()):
                    dirty = self.report.dirty(block) if dirty is None else dirty
                    if dirty:
                        self.report.characters(e, index, offset, block.header)
                if out:
                    yield from out
                    out.clear()
            begin += len(block.segments)
        self._end((["", ""], None, begin, offset))
        self.envelopes.end(begin, offset)
        yield from out
        out.clear()

    # -- where a segment stands

    def _unit(self, block: Block, number: int, step: Any, seg: Seg) -> tuple[int, int] | None:
        """How many segments a unit has that is accepted as a whole, and where in the block it ends."""
        unit: Unit = step.unit
        if block.given is None and self.tx is not None and not self.tx.old:
            text, begin = block.text, seg[3] - block.start
            matched = unit.match(text, begin)
            if matched is not None:
                end = matched[0]
                taken = text.count(block.header.segment, begin, end)
                if (
                    self._apart(block, number + taken, step, seg[2] + taken)
                    and self.nesting is not None
                    and self.nesting.accept(unit, step, seg, matched, block.segments[number : number + taken])
                ):
                    return taken, end
        unit.doubted()
        return None

    def _apart(self, block: Block, number: int, step: Any, index: int) -> bool:
        """The segment after a unit is no part of it, and stands where it may."""
        if number >= len(block.segments):
            return False
        e = block.segments[number].split(block.header.element)
        if e[0] in _ENDS:
            return True
        try:
            position, table = step.follow[e[0]]
            after = table[e[position]]
        except (KeyError, IndexError):
            return False
        if after.quality or e[0] in step.unit.inside:
            return False
        self.ahead = index, e, after
        return True

    def _placed(self, block: Block, number: int, step: Any, seg: Seg) -> Any:
        """The step by which a segment out of place is taken in; None when it is passed over."""
        assert self.machine
        after = block.segments[number + 1] if number + 1 < len(block.segments) else ""
        following = after.partition(block.header.element)[0]
        return misplaced.placed(step, seg, self.parts, self.machine, self.report, following)

    def _run(self, rule: Any, seg: Seg, part: Part) -> None:
        for place in rule(seg, self.tx):
            self.report.ruled(rule.rule, place, part.loop.id)

    def _elements(self, test: elements.SegmentTest, seg: Seg, part: Part) -> None:
        """Test the segment's elements, each alone and together."""
        e = seg[0]
        for place, problem in elements.problems(test, e):
            if place < 0:
                self.report.structure("SEGMENT_TRAILING", seg, part.loop.id, element=-place)
            else:
                self.report.element(problem, seg, part.loop.id, place)
        for rule in self.segment_rules.get(e[0], ()):
            self._run(rule, seg, part)

    # -- everything else

    def _other(self, block: Block, number: int, seg: Seg) -> None:
        """A segment of the envelope, or one that the set does not know here."""
        e = seg[0]
        if e[0] in ("ISA", "GS", "ST", "SE", "GE", "IEA", "TA1") and not (e[0] == "TA1" and self.tx):
            if e[0] != "SE":
                self._end(seg)
            if e[0] == "ST":
                self._begin(block, number, seg)
            elif e[0] == "SE":
                self._end(seg, trailer=e)
            else:
                self.envelopes.take(e, seg, block.header)
            return
        if self.tx is None:
            self.envelopes.outside(e, seg)
            return
        if self.machine is None:
            return
        loop = self.parts[-1].loop.id if self.parts else ""
        if e == [""]:
            self.report.structure("SEGMENT_EMPTY", seg, loop)
        elif e[0] not in grammar.dictionary()[0] or e[0].startswith("C0"):
            self.report.structure("SEGMENT_UNKNOWN", seg, loop, value=e[0][:20])
        elif e[0] not in self.machine.named:
            self.report.structure("SEGMENT_NOT_IN_SET", seg, loop)
        else:
            self._unplaced(seg, loop)

    def _unplaced(self, seg: Seg, loop: str) -> None:
        """A segment of the set that has no place: most often its qualifier is unknown."""
        assert self.machine
        node = self.machine.named[seg[0][0]][0]
        position = max((n.qualifier[0] for n in self.machine.named[seg[0][0]]), default=0)
        if position and len(seg[0]) > position:
            problem = ("ELEMENT_CODE", "7", None, None, seg[0][position][:80])
            self.report.element(problem, (seg[0], node, seg[2], seg[3]), loop, position)
        elif position:
            problem = ("ELEMENT_MISSING", "1", None, None, "")
            self.report.element(problem, (seg[0], node, seg[2], seg[3]), loop, position)
        else:
            self.report.structure("SEGMENT_UNEXPECTED", seg, loop)

    def _begin(self, block: Block, number: int, seg: Seg) -> None:
        """ST: choose the specification."""
        header = block.header
        ahead = [text.split(header.element) for text in block.segments[number + 1 : number + 60]]
        st = seg[0]
        version = st[3] if len(st) > 3 and "X" in st[3] else self.envelopes.version
        name = route(st[1] if len(st) > 1 else "", version, ahead)
        self.tx = Tx(
            set=name,
            guide=st[3] if len(st) > 3 and st[3] else self.envelopes.version,
            control=st[2] if len(st) > 2 else "",
            component=header.component,
            repetition=header.repetition,
            begin=seg[2],
            old=header.old or version.startswith("004"),
            today=self.envelopes.day or f"{datetime.now(UTC):%Y%m%d}",
        )
        self.report.begin(self.tx)
        spec = grammar.spec(name) if name in grammar.names() else None
        self.envelopes.transaction(seg, self.tx, spec)
        if spec is None:
            self.machine, self.follow = None, _NOWHERE
            return
        self.machine = tested.machine(name, marks_of(header))
        self.follow = self.machine.start.follow
        self.nesting = Nesting(spec.root, self.tx, self.report, tested.rules_of(name))
        self.parts = self.nesting.parts

    def _end(self, seg: Seg, trailer: list[str] | None = None) -> None:
        """SE, or the lack of it."""
        tx = self.tx
        if tx is None:
            if trailer is not None:
                self.envelopes.outside(trailer, seg)
            return
        if self.nesting is not None:
            self.nesting.end(seg)
        self.envelopes.trailer(trailer, seg, tx)
        ok = self.report.end()
        self.summaries.append(
            TransactionSummary(set=tx.set, guide=tx.guide, control=tx.control, claims=tx.claims, ok=ok)
        )
        self.tx, self.machine, self.nesting, self.follow = None, None, None, _NOWHERE


def findings(source: InputSource, *, partner: Partner | None = None) -> Iterator[Finding]:
    """Every finding, streamed as it is found; never an exception for bad content."""
    yield from Checker(source, partner).findings()


def check(source: InputSource, *, partner: Partner | None = None, limit: int = 1000) -> Report:
    """The whole verdict on a file, with at most `limit` of its findings; never an exception for bad content."""
    checker = Checker(source, partner)
    kept: list[Finding] = []
    total = errors = 0
    for finding in checker.findings():
        total += 1
        errors += finding.severity == "error"
        if len(kept) < limit:
            kept.append(finding)
    return Report(
        interchanges=checker.envelopes.interchanges,
        transactions=tuple(checker.summaries),
        findings=tuple(kept),
        truncated=total > limit,
        errors=errors,
    )


__all__ = ["Checker", "Place", "check", "findings"]
