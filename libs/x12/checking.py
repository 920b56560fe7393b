"""Checking: one pass over a file, every finding as it is met, memory that does not grow with the file."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from libs.x12 import accept, elements, grammar, rules
from libs.x12.envelopes import Envelopes
from libs.x12.findings import Finding, Partner, Report, TransactionSummary
from libs.x12.grammar import Loop, Node
from libs.x12.machine import Machine
from libs.x12.parts import Part, Place, Seg, Tx
from libs.x12.report import Reporter
from libs.x12.route import route
from libs.x12.tokens import Block, InputSource, Unreadable, blocks


class _Nowhere(dict[str, Any]):
    """Where a transaction is not, or is one that has no specification."""

    clean: Mapping[str, Any] = {}


_NOWHERE = _Nowhere()
_MOST_REMEMBERED = 300


class _Tests:
    """The element tests of one set for its delimiters, made as they are needed."""

    def __init__(self, component: str, repetition: str, separator: str) -> None:
        self.component = component
        self.repetition = repetition
        self.separator = separator
        self.made: dict[int, accept.Look] = {}

    def attach(self, step: Any) -> None:
        """Give a step of the machine the tests of its segment."""
        key = id(step.node)
        if key not in self.made:
            test = elements.segment_test(step.node, self.component, self.repetition)
            self.made[key] = accept.Look(step.node, test, (self.separator, self.component, self.repetition))
        step.read = self.made[key]


@lru_cache(maxsize=32)
def _machine(name: str, component: str, repetition: str, separator: str) -> Machine:
    return Machine(grammar.spec(name), _Tests(component, repetition, separator))


@lru_cache(maxsize=16)
def _rules(name: str) -> dict[str, list[rules.Rule]]:
    return rules.rules_of(name)


class Checker:
    """The state of one check."""

    def __init__(self, source: InputSource, partner: Partner | None) -> None:
        self.source = source
        self.report = Reporter(partner)
        self.envelopes = Envelopes(self.report)
        self.tx: Tx | None = None
        self.machine: Machine | None = None
        self.follow: Any = _NOWHERE
        self.parts: list[Part] = []
        self.levels = 0
        self.misnumbered: dict[str, str] = {}
        """HL01 as stated to what it should be, where they differ."""
        self.block: Block | None = None
        self.block_begin = 0
        self.rules: dict[str, list[rules.Rule]] = {}
        self.segment_rules = rules.segment_rules()
        self.summaries: list[TransactionSummary] = []
        self.used: set[tuple[str, str, str, str]] = set()

    def findings(self) -> Iterator[Finding]:
        """Every finding, in the order in which they are met."""
        out = self.report.out
        try:
            yield from self._scan(out)
        except Unreadable as problem:
            self.report.add("UNREADABLE", 1, str(problem), offset=0, advice="Send an X12 interchange.")
            yield from out
            out.clear()

    def _scan(self, out: list[Finding]) -> Iterator[Finding]:
        index = -1
        offset = 0
        for block in blocks(self.source):
            for code, place, detail in block.oddities:
                self.envelopes.oddity(code, place, detail, index)
            separator = block.header.element
            dirty = self.report.dirty(block)
            self.block, self.block_begin = block, index + 1
            for number, (text, offset) in enumerate(zip(block.segments, block.offsets, strict=False)):
                index += 1
                follow = self.follow
                known = follow.clean.get(text)
                if known is not None:
                    e, step = known
                    self._take_in(step, (e, step.node, index, offset), text, known=True)
                else:
                    e = text.split(separator)
                    try:
                        position, table = follow[e[0]]
                        step = table[e[position]]
                    except (KeyError, IndexError):
                        self._other(block, number, (e, None, index, offset))
                    else:
                        self._take_in(step, (e, step.node, index, offset), text, known=False)
                if dirty:
                    self.report.characters(e, index, offset, block.header)
                if out:
                    yield from out
                    out.clear()
        self._end((["", ""], None, index + 1, offset))
        self.envelopes.end(index + 1, offset)
        self._forget()
        yield from out
        out.clear()

    def _forget(self) -> None:
        """Keep nothing of a file that was checked."""
        for key in self.used:
            machine = _machine(*key)
            for state in (machine.start, *machine.states.values()):
                state.follow.forget()

    # -- where a segment stands

    def _take_in(self, step: Any, seg: Seg, text: str, *, known: bool) -> None:
        """Take in a segment that the set knows; `known` when its elements need no look."""
        if step.quality:
            step = self._headless(step, seg) or step
            seg = (seg[0], step.node, seg[2], seg[3])
            if self._misfit(step, seg):
                return
        parts = self.parts
        if step.moves:
            while len(parts) - 1 > step.keep:
                self._close(parts.pop(), seg)
            for loop in step.opens:
                self._open(loop, seg)
        part = parts[-1]
        part.segs.append(seg)
        name = seg[0][0]
        if name in part.ids:
            part.ids[name].append(seg)
        else:
            part.ids[name] = [seg]
        part.counts[step.key] = count = part.counts.get(step.key, 0) + 1
        if count > step.node.repeat:
            self.report.structure("SEGMENT_REPEAT", seg, part.loop.id, high=step.node.repeat)
        follow = self.follow
        self.follow = step.state.follow
        if known:
            return
        look = step.read
        length = len(seg[0])
        fine = look.fine[length] if length in look.fine else look.compiled(length)
        if fine is None or not fine(seg[0], text):
            self._elements(look.test, seg, part)
        elif (not look.rules or self._rules_kept(look.rules, seg, part)) and step.room > 0 and not step.quality:
            step.room -= 1
            follow.clean[text] = seg[0], step

    def _rules_kept(self, entries: list[accept.Kept], seg: Seg, part: Part) -> bool:
        """The rules for single segments are kept, as far as they concern this one, and will be by the same text."""
        e = seg[0]
        before = self.report.count
        for rule, position, only, reads, kept in entries:
            if position and (position >= len(e) or e[position] not in only):
                continue
            key = tuple([e[place] for place in reads if place < len(e)])
            if key in kept:
                continue
            self._run(rule, seg, part)
            if reads and self.report.count == before and len(kept) < _MOST_REMEMBERED:
                kept.add(key)
        return self.report.count == before and e[0] != "DMG"

    def _run(self, rule: Any, seg: Seg, part: Part) -> None:
        for place in rule(part, seg, self.tx):
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

    def _headless(self, step: Any, seg: Seg) -> Any:
        """The step into a loop whose first segment is missing, where a segment would otherwise be one too many of the
        loop that it is counted with: into the next required loop, or into another turn of the same."""
        if step.quality != "order" or step.opens:
            return None
        part = self.parts[step.keep]
        parent = part.loop.parent
        if parent is None or part.counts.get(step.key, 0) < step.node.repeat:
            return None
        assert self.machine
        siblings = parent.children
        place = next(i for i, child in enumerate(siblings) if child is part.loop)
        for loop in siblings[place + 1 :] if part is self.parts[-1] else ():
            if isinstance(loop, Loop) and loop.usage == "R" and id(loop) not in self.parts[-2].counts:
                node = next((node for node in loop.nodes()[1:] if node.id == seg[0][0]), None)
                return self.machine.into(loop, node) if node is not None and not node.qualifier[0] else None
        again = part.loop.repeat > 1 and step.node.usage == "R"
        return self.machine.into(part.loop, step.node) if again else None

    def _next(self, seg: Seg) -> str:
        """The id of the segment that follows, as far as it is at hand."""
        assert self.block
        place = seg[2] - self.block_begin + 1
        text = self.block.segments[place] if place < len(self.block.segments) else ""
        return text.partition(self.block.header.element)[0]

    def _misfit(self, step: Any, seg: Seg) -> bool:
        """Report a segment that does not stand where it should; True when it is to be passed over."""
        part = self.parts[-1]
        if step.quality == "order":
            leaves = any(other.loop.leaf for other in self.parts[step.keep + 1 :])
            code = "SEGMENT_UNEXPECTED" if leaves else "SEGMENT_ORDER"
            self.report.structure(code, seg, part.loop.id if leaves else step.node.loop.id)
            return leaves
        if step.quality == "code":
            return False
        first = step.opens[0] if step.opens else None
        parent = self.parts[step.keep] if step.keep < len(self.parts) else part
        stranded = first is not None and first.hierarchical and any(p.loop.leaf for p in self.parts)
        if first is None or stranded or parent.counts.get(id(first), 0) >= first.repeat or first.first is step.node:
            self.report.structure("SEGMENT_UNEXPECTED", seg, part.loop.id)
            return True
        if first.first.id == self._next(seg):
            self.report.structure("SEGMENT_ORDER", seg, first.id)
            return True
        return False

    def _open(self, loop: Loop, seg: Seg) -> None:
        """Begin a loop; its first segment may be missing."""
        parent = self.parts[-1]
        part = Part(loop, parent)
        self.parts.append(part)
        count = parent.counts.get(id(loop), 0) + 1
        parent.counts[id(loop)] = count
        if count > loop.repeat:
            self.report.structure("LOOP_REPEAT", seg, loop.id, high=loop.repeat)
        if loop.kind not in ("item", "level") and not loop.hierarchical:
            parent.kids.append(part)
            if loop.id in parent.kinds:
                parent.kinds[loop.id].append(part)
            else:
                parent.kinds[loop.id] = [part]
        else:
            if count == 1:
                parent.begun.append((loop, seg))
            if loop.leaf and self.tx:
                self.tx.claims += 1
                self.tx.claim = seg[0][1] if seg[0][0] in ("CLM", "CLP") and len(seg[0]) > 1 else ""
        if loop.first is not seg[1]:
            self.report.missing(loop.first, seg, loop.id)
            part.counts[id(loop.first)] = 1
            head: Seg = ([loop.first.id], loop.first, seg[2], seg[3])
            part.segs.append(head)
            part.ids[loop.first.id] = [head]
        if loop.first.id == "HL":
            self._level(part, seg)

    def _level(self, part: Part, seg: Seg) -> None:
        """HL01 counts, HL02 names the level above."""
        e = part.segs[0][0] if part.segs else seg[0]
        self.levels += 1
        expected = str(self.levels)
        if len(e) > 1 and e[1] != expected:
            self.report.structure("HL_NUMBER", seg, part.loop.id, element=1, value=e[1], expected=expected)
            if len(self.misnumbered) < _MOST_REMEMBERED:
                self.misnumbered[e[1]] = expected
        above = part.parent
        while above is not None and not (above.segs and above.segs[0][0][0] == "HL"):
            above = above.parent
        parent = above.segs[0][0][1] if above and len(above.segs[0][0]) > 1 else ""
        named = e[2] if len(e) > 2 else ""
        if above is not None and len(e) > 1 and named not in (parent, self.misnumbered.get(parent, parent)):
            self.report.structure("HL_PARENT", seg, part.loop.id, element=2, value=named, expected=parent)

    def _close(self, part: Part, seg: Seg) -> None:
        """End a loop: what it lacks, and the rules about it as a whole."""
        counts = part.counts
        for key, child in part.loop.required:
            if key not in counts:
                before = _after(part, child, seg)
                if isinstance(child, Node):
                    self.report.missing(child, before, part.loop.id)
                elif part.loop.parent is not None or part.segs:
                    self.report.missing_loop(child, before)
        if part.segs and part.segs[0][0][0] == "HL":
            self._children(part)
        for rule in self.rules.get(part.loop.id, ()):
            assert self.tx
            needs = rule.needs
            if needs and needs not in part.ids and needs not in part.kinds:
                continue
            for place in rule.body(part, self.tx):
                self.report.ruled(rule, place, part.loop.id)
        if part.loop.leaf and self.tx:
            self.tx.claim = ""
        if part.kids and (part.loop.kind in ("item", "level") or part.loop.hierarchical):
            part.release()

    def _children(self, part: Part) -> None:
        """HL04 tells whether there are levels below."""
        head = part.segs[0]
        flag = head[0][4] if len(head[0]) > 4 else ""
        below = sum(part.counts.get(id(child), 0) for child in part.loop.loops() if child.hierarchical)
        # An event of a 278 may announce services that its sender leaves out.
        idle = flag == "1" and not below and not self.report.tx_set.startswith("278")
        if (flag == "0" and below) or idle:
            self.report.structure("HL_CHILD", head, part.loop.id, element=4, value=flag, count=below)

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
        self.levels = 0
        self.misnumbered = {}
        if spec is None:
            self.machine, self.follow = None, _NOWHERE
            return
        key = name, header.component, header.repetition, header.element
        self.machine = _machine(*key)
        self.used.add(key)
        self.rules = _rules(name)
        self.follow = self.machine.start.follow
        self.parts = [Part(spec.root, None)]

    def _end(self, seg: Seg, trailer: list[str] | None = None) -> None:
        """SE, or the lack of it."""
        tx = self.tx
        if tx is None:
            if trailer is not None:
                self.envelopes.outside(trailer, seg)
            return
        while self.parts:
            self._close(self.parts.pop(), seg)
        self.envelopes.trailer(trailer, seg, tx)
        ok = self.report.end()
        self.summaries.append(
            TransactionSummary(set=tx.set, guide=tx.guide, control=tx.control, claims=tx.claims, ok=ok)
        )
        self.tx, self.machine, self.follow = None, None, _NOWHERE


def _after(part: Part, child: Node | Loop, seg: Seg) -> Seg:
    """The segment before which a missing child should have stood."""
    order = {id(other): place for place, other in enumerate(part.loop.children)}
    own = order[id(child)]
    candidates = [s for s in part.segs if s[1] is not None and order.get(id(s[1]), -1) > own]
    candidates += [kid.segs[0] for kid in part.kids if kid.segs and order.get(id(kid.loop), -1) > own]
    candidates += [first for loop, first in part.begun if order.get(id(loop), -1) > own]
    return min(candidates, key=lambda s: s[2], default=seg)


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
