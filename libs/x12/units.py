"""Items and levels accepted as a whole: one look at their text, one at what their rules need of it.

A unit that is accepted has nothing wrong. One that is not is looked at segment by segment, as is every unit until so
many were met that the expressions are worth their making: these know the segments that were met until then."""

import re
from collections.abc import Callable
from typing import NamedTuple

from libs.x12 import conditions, rules
from libs.x12.grammar import Loop, Node
from libs.x12.machine import Machine
from libs.x12.marks import Marks, Ref, compiled
from libs.x12.pattern import Writer
from libs.x12.unit_source import Source

#: Units of a kind that are looked at closely before an expression is made for it; twice as many before it is made anew.
PATIENCE = 200

Matcher = Callable[[str, int], re.Match[str] | None]


class Made(NamedTuple):
    """What was made for a kind of unit at one time, and belongs together."""

    head: Matcher
    again: Matcher | None
    """For each turn of its last loop."""
    kept: Callable[..., bool]
    closes: Callable[..., bool]
    tell: Callable[..., tuple[str, ...]]


#: Where a unit ends, what its segments said, what each turn of its last loop said, and what caught it.
Match = tuple[int, tuple[str, ...], list[tuple[str, ...]], Made]


class Unit:
    """A loop that is an item or a level."""

    def __init__(self, loop: Loop, machine: Machine, marks: Marks, known: dict[str, list[rules.Rule]]) -> None:
        self.loop = loop
        self.machine = machine
        self.marks = marks
        self.has = conditions.segments_of(machine.spec)
        last = loop.loops()[-1] if loop.loops() else None
        self.last = last if last is not None and last.kept and last.repeat > 1 and last is loop.children[-1] else None
        self.most = self.last.repeat if self.last else 0
        self.loops = {inner.id: inner for inner in conditions.loops_of(loop)}
        self.turn = {inner.id for inner in conditions.loops_of(self.last)} if self.last else set()
        self.inside = {node.id for inner in self.loops.values() for node in inner.nodes()} - {loop.first.id}
        """Ids with which a segment after the unit would be a part of it."""
        self.barred: set[tuple[str, str]] = set()
        self.conditions: list[tuple[rules.Rule, str]] = []
        self.settled = marks.usable and self._conditions(known)
        """There is a condition for each of its rules."""
        self.wanted = {ref for rule, place in self.conditions for ref in self._refs(rule, place)}
        self.known = known
        self.tells = [] if loop.leaf else self.told(loop)
        """What units beneath it ask of it."""
        self.wanted |= {*self.tells}
        if loop.numbered:
            self.wanted.add(Ref(loop.id, "HL", "", 4))
        self.doubts, self.patience, self.met = 0, PATIENCE, 0
        self.made: Made | None = None

    # -- what its rules ask for

    def _conditions(self, known: dict[str, list[rules.Rule]]) -> bool:
        for place, loop in self.loops.items():
            for rule in known.get(place, ()):
                if rule.kept:
                    self.conditions.append((rule, place))
                elif rule.needs:
                    self.barred.add((place, rule.needs))
                else:
                    return False
            for node in loop.nodes():
                for entry in rules.segment_rules().get(node.id, ()):
                    if entry.rule.kept and entry.concerns(node):
                        self.conditions.append((entry.rule, place))
        return True

    def _refs(self, rule: rules.Rule, place: str) -> list[Ref]:
        found = [ref for text in (rule.kept, rule.note) for _, sign, ref in self.braces(text, place) if sign != "#"]
        return [ref for ref in found if ref.loop in self.loops]

    def braces(self, text: str, place: str) -> list[tuple[str, str, Ref]]:
        return [*conditions.refs(text, place, lambda loop, segment: (loop, segment) in self.has)]

    def told(self, level: Loop) -> list[Ref]:
        """What rules of units beneath a level ask of it."""
        own = {inner.id for inner in conditions.loops_of(level)}
        return sorted(
            {
                ref
                for place, entries in self.known.items()
                if place not in own
                for rule in entries
                for _, sign, ref in self.braces(f"{rule.kept} {rule.note}", place)
                if sign != "#" and ref.loop in own
            }
        )

    # -- accepting

    def match(self, text: str, begin: int) -> Match | None:
        """What the unit that begins there says, if each of its segments is in order."""
        made = self.made
        found = made.head(text, begin) if made is not None else None
        if made is None or found is None:
            return None
        turns: list[tuple[str, ...]] = []
        end, first = found.end(), found.groups("")
        if made.again is not None:
            while (found := made.again(text, end)) is not None:
                end = found.end()
                turns.append(found.groups(""))
        if self.last is not None and not (self.last.usage != "R" or turns):
            return None
        return (end, first, turns, made) if len(turns) <= self.most else None

    def doubted(self) -> None:
        """One was looked at closely: time, perhaps, to make expressions that know more."""
        self.doubts += 1
        if self.doubts < self.patience or not self.settled:
            return
        self.doubts, self.patience = 0, self.patience * 2
        if self.met != len(self.machine.states):
            self.met = len(self.machine.states)
            self.learn()

    # -- making

    def learn(self) -> None:
        """Make an expression of the segments that were met, and what goes with it."""
        head = self._written(self.loop, self.last)
        turn = self._written(self.last, None) if self.last is not None and self._known(self.last.first) else None
        source, level = Source(self, head, turn), not self.loop.leaf
        self.made = Made(
            head[1].match,
            turn[1].match if turn else None,
            source.kept(),
            source.closes() if level else lambda *_: False,
            source.tell() if level else lambda *_: (),
        )

    def _written(self, loop: Loop, apart: Loop | None) -> tuple[Writer, re.Pattern[str]]:
        writer = Writer(self.marks, self._known, self.wanted, self.barred, apart)
        return writer, compiled(writer.loop(loop))

    def _known(self, node: Node) -> bool:
        return id(node) in self.machine.states
