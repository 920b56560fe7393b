"""The loops of a transaction that are open while it is checked: how each begins, what it lacks when it ends."""

from typing import Any

from libs.x12.accepted import Accepted
from libs.x12.grammar import Loop, Node
from libs.x12.parts import Part, Seg, Tx
from libs.x12.report import Reporter
from libs.x12.rules import Rule
from libs.x12.units import Match, Unit

_MOST_REMEMBERED = 300


class Nesting:
    """The open loops, outermost first."""

    def __init__(self, root: Loop, tx: Tx, report: Reporter, rules: dict[str, list[Rule]]) -> None:
        self.tx = tx
        self.report = report
        self.rules = rules
        self.parts = [Part(root, None)]
        self.levels = 0
        self.misnumbered: dict[str, str] = {}
        """HL01 as stated to what it should be, where they differ."""

    def leave(self, keep: int, seg: Seg) -> None:
        """Leave the loops below that depth."""
        parts = self.parts
        while len(parts) - 1 > keep:
            self.close(parts.pop(), seg)

    def enter(self, loops: tuple[Loop, ...], seg: Seg) -> None:
        """Enter these loops, one within the other."""
        for loop in loops:
            self._open(loop, seg)

    def accept(self, unit: Unit, step: Any, seg: Seg, matched: Match, texts: list[str]) -> bool:
        """Take a unit as it is, if it is sure that nothing is wrong with it."""
        parent, loop = self.parts[-1], unit.loop
        e, key = seg[0], id(loop)
        if parent.begun[key][1] >= loop.repeat if key in parent.begun else loop.repeat < 1:
            return False
        if loop.numbered and (e[1] != str(self.levels + 1) or e[2] != _numbered(parent)):
            return False
        if not matched[3].kept(matched[1], matched[2], self.tx, parent):
            return False
        parent.begin(key, seg)
        self.levels += loop.numbered
        if loop.leaf:
            self.tx.claims += 1
            self.tx.claim = ""
        else:
            self.parts.append(Accepted(unit, parent, step, seg, matched, texts))
        return True

    def end(self, seg: Seg) -> None:
        """Close them all."""
        while self.parts:
            self.close(self.parts.pop(), seg)

    def _open(self, loop: Loop, seg: Seg) -> None:
        """Begin a loop; its first segment may be missing."""
        parent = self.parts[-1]
        part = Part(loop, parent)
        self.parts.append(part)
        if parent.add(part, seg) > loop.repeat:
            self.report.structure("LOOP_REPEAT", seg, loop.id, high=loop.repeat)
        if loop.leaf and not loop.kept:
            self.tx.claims += 1
            self.tx.claim = seg[0][1] if seg[0][0] in ("CLM", "CLP") and len(seg[0]) > 1 else ""
        if loop.first is not seg[1]:
            self.report.missing(loop.first, seg, loop.id)
            part.counts[id(loop.first)] = 1
            head: Seg = ([loop.first.id], loop.first, seg[2], seg[3])
            part.segs.append(head)
            part.ids[loop.first.id] = [head]
        if loop.numbered:
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
        parent = _numbered(part.parent)
        part.number = e[1] if len(e) > 1 else ""
        named = e[2] if len(e) > 2 else ""
        if parent is not None and len(e) > 1 and named not in (parent, self.misnumbered.get(parent, parent)):
            self.report.structure("HL_PARENT", seg, part.loop.id, element=2, value=named, expected=parent)

    def close(self, part: Part, seg: Seg) -> None:
        """End a loop: what it lacks, and the rules about it as a whole."""
        loop = part.loop
        if part.__class__ is Accepted and part.made.closes(part, part.caught):
            return
        for key, child in loop.required:
            if not part.count(key):
                self._lacks(part, child, _after(part, child, seg))
        if loop.numbered:
            self._children(part)
        for rule in self.rules.get(loop.id, ()):
            needs = rule.needs
            if needs and needs not in part.ids and needs not in part.kinds:
                continue
            for place in rule.body(part, self.tx):
                self.report.ruled(rule, place, loop.id)
        if loop.leaf:
            self.tx.claim = ""
        if part.kids and not loop.kept:
            part.release()

    def _lacks(self, part: Part, child: Node | Loop, before: Seg) -> None:
        """Something that the loop must have is not there."""
        if isinstance(child, Node):
            self.report.missing(child, before, part.loop.id)
        elif part.loop.parent is not None or part.segs:
            self.report.missing_loop(child, before)

    def _children(self, part: Part) -> None:
        """HL04 tells whether there are levels below."""
        head = part.segs[0]
        flag = head[0][4] if len(head[0]) > 4 else ""
        below = sum([part.count(id(child)) for child in part.loop.inner if child.hierarchical])
        # An event of a 278 may announce services that its sender leaves out.
        idle = flag == "1" and not below and not self.report.tx_set.startswith("278")
        if (flag == "0" and below) or idle:
            self.report.structure("HL_CHILD", head, part.loop.id, element=4, value=flag, count=below)


def _numbered(part: Part | None) -> str | None:
    """The number of the nearest level that has one, this one included; None if there is none."""
    while part is not None and part.number is None:
        part = part.parent
    return part.number if part is not None else None


def _after(part: Part, child: Node | Loop, seg: Seg) -> Seg:
    """The segment before which a missing child should have stood."""
    order = {id(other): place for place, other in enumerate(part.loop.children)}
    own = order[id(child)]
    candidates = [s for s in part.segs if s[1] is not None and order.get(id(s[1]), -1) > own]
    candidates += [kid.segs[0] for kid in part.kids if kid.segs and order.get(id(kid.loop), -1) > own]
    candidates += [first for key, (first, _) in part.begun.items() if order.get(key, -1) > own]
    return min(candidates, key=lambda s: s[2], default=seg)
