"""The loops of a transaction that are open while it is checked: how each begins, what it lacks when it ends."""

from typing import Any

from libs.x12.grammar import Loop, Node
from libs.x12.parts import Part, Seg, Tx
from libs.x12.report import Reporter
from libs.x12.rules import Rule

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

    def move(self, step: Any, seg: Seg) -> None:
        """Leave the loops that the step leaves, enter those that it enters."""
        parts = self.parts
        while len(parts) - 1 > step.keep:
            self.close(parts.pop(), seg)
        for loop in step.opens:
            self._open(loop, seg)

    def end(self, seg: Seg) -> None:
        """Close them all."""
        while self.parts:
            self.close(self.parts.pop(), seg)

    def _open(self, loop: Loop, seg: Seg) -> None:
        """Begin a loop; its first segment may be missing."""
        parent = self.parts[-1]
        part = Part(loop, parent)
        self.parts.append(part)
        key, counts = id(loop), parent.counts
        counts[key] = count = counts[key] + 1 if key in counts else 1
        if count > loop.repeat:
            self.report.structure("LOOP_REPEAT", seg, loop.id, high=loop.repeat)
        if loop.kept:
            parent.kids.append(part)
            if loop.id in parent.kinds:
                parent.kinds[loop.id].append(part)
            else:
                parent.kinds[loop.id] = [part]
        else:
            if count == 1:
                parent.begun.append((loop, seg))
            if loop.leaf:
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
        above = part.parent
        while above is not None and not (above.segs and above.segs[0][0][0] == "HL"):
            above = above.parent
        parent = above.segs[0][0][1] if above and len(above.segs[0][0]) > 1 else ""
        named = e[2] if len(e) > 2 else ""
        if above is not None and len(e) > 1 and named not in (parent, self.misnumbered.get(parent, parent)):
            self.report.structure("HL_PARENT", seg, part.loop.id, element=2, value=named, expected=parent)

    def close(self, part: Part, seg: Seg) -> None:
        """End a loop: what it lacks, and the rules about it as a whole."""
        loop, counts = part.loop, part.counts
        for key, child in loop.required:
            if key not in counts:
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
        counts = part.counts
        below = sum([counts[id(child)] for child in part.loop.inner if child.hierarchical and id(child) in counts])
        # An event of a 278 may announce services that its sender leaves out.
        idle = flag == "1" and not below and not self.report.tx_set.startswith("278")
        if (flag == "0" and below) or idle:
            self.report.structure("HL_CHILD", head, part.loop.id, element=4, value=flag, count=below)


def _after(part: Part, child: Node | Loop, seg: Seg) -> Seg:
    """The segment before which a missing child should have stood."""
    order = {id(other): place for place, other in enumerate(part.loop.children)}
    own = order[id(child)]
    candidates = [s for s in part.segs if s[1] is not None and order.get(id(s[1]), -1) > own]
    candidates += [kid.segs[0] for kid in part.kids if kid.segs and order.get(id(kid.loop), -1) > own]
    candidates += [first for loop, first in part.begun if order.get(id(loop), -1) > own]
    return min(candidates, key=lambda s: s[2], default=seg)
