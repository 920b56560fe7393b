"""What the rules ask of a unit, as one function in straight lines."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from libs.x12 import conditions
from libs.x12.grammar import Node
from libs.x12.marks import Marks, Ref
from libs.x12.parts import Part, Tx
from libs.x12.pattern import Writer
from libs.x12.rules.values import Taken

if TYPE_CHECKING:
    from libs.x12.units import Unit

_MOST_REMEMBERED = 1000

#: What wrote an expression, and the expression.
Written = tuple[Writer, re.Pattern[str]]

#: How a text is worked out by the sign before it: an amount of at most fifteen digits, which a float holds exactly, in
#: cents; and what CAS segments take off.
_WORKED_OUT = {
    "$": "round(float({0}) * 100) if {0} else None",
    "-": "Taken(entries({0})) if {0} else NOTHING",
}


class Source:
    """Puts the functions of a unit together, for the expressions that were written for it."""

    def __init__(self, unit: "Unit", head: Written, turn: Written | None) -> None:
        self.unit = unit
        star = re.escape(unit.marks.element)
        entries = re.compile(rf"(?:CAS{star}([A-Z]+)|{star}[-.0-9]*){star}([A-Z0-9]+){star}([-.0-9]+)").findall
        self.space: dict[str, Any] = {
            "Taken": Taken,
            "entries": entries,
            "NOTHING": Taken([]),
            "star": unit.marks.element,
        }
        self.caught = _places(*head)
        self.turned = _places(*turn) if turn else {}
        self.columns: dict[str, str] = {}
        self.beside: dict[str, str] = {}
        """Columns that are gone through with the turns of the last loop, and what one of their values is called."""
        self.above: dict[int, list[Ref]] = {}
        self.head, self.turn = head, turn

    def kept(self) -> Callable[..., bool]:
        """A function of what a unit says, its transaction and the level above it: True if its rules are kept."""
        once: list[str] = []
        each: list[str] = []
        notes: list[str] = []
        for rule, place in self.unit.conditions:
            if "{#" in rule.kept:
                continue
            self.space |= conditions.names_of(f"{rule.kept} {rule.note}", rule.body)
            (each if place in self.unit.turn else once).append(self._text(rule.kept, place))
            notes += [self._text(rule.note, place)] if rule.note else []
        once += self._questions(self.head, "g")
        each += self._questions(self.turn, "r") if self.turn else []
        lines = ["def kept(g, turns, tx, part):"]
        for steps, refs in self.above.items():
            self.space[f"say{steps}"] = _sayer(refs, self.unit.marks.component)
            lines.append(f"    p = part{'.parent' * steps}")
            lines.append(f"    a{steps} = p.said if p.said is not None else say{steps}(p)")
        if self.columns and self.turn:
            self.space["no_turns"] = [()] * self.turn[1].groups
            lines.append("    columns = [*zip(*turns)] or no_turns")
        lines += [f"    {name} = {text}" for text, name in self.columns.items()]
        lines += [f"    if not ({text}): return False" for text in once]
        if each:
            beside = "".join(f", {name}" for name in self.beside.values())
            columns = "".join(f", {name}" for name in self.beside)
            lines.append(f"    for r{beside} in zip(turns{columns}):" if beside else "    for r in turns:")
            lines += [f"        if not ({text}): return False" for text in each]
        lines += [f"    {text}" for text in notes]
        return self._made("kept", [*lines, "    return True"])

    def closes(self) -> Callable[..., bool]:
        """A function of a level that was accepted, with what it says: True if it may end as it is."""
        unit, loop = self.unit, self.unit.loop
        lines = ["def closes(part, g):", "    begun = part.begun"]
        for child in [child for child in loop.loops() if not child.kept]:
            self.space[f"k{child.id}"] = id(child)
            lines.append(f"    n{child.id} = begun[k{child.id}][1] if k{child.id} in begun else 0")
            if child.usage == "R":
                lines.append(f"    if not n{child.id}: return False")
        if loop.numbered:
            below = " or ".join(f"n{child.id}" for child in loop.loops() if child.hierarchical) or "0"
            flag = self._value(Ref(loop.id, "HL", "", 4), loop.id)
            lines.append(f"    if {flag} == ('0' if {below} else '1'): return False")
        for rule, place in unit.conditions:
            if "{#" in rule.kept:
                lines.append(f"    if not ({self._text(rule.kept, place)}): return False")
        return self._made("closes", [*lines, "    return True"])

    def tell(self) -> Callable[..., tuple[str, ...]]:
        """A function of what a level says: what units beneath it ask of it."""
        values = "".join(f"{self._value(ref, ref.loop)}, " for ref in self.unit.tells)
        return self._made("tell", ["def tell(g):", f"    return ({values})"])

    def _made(self, name: str, lines: list[str]) -> Callable[..., Any]:
        exec("\n".join(lines), self.space)  # noqa: S102 - our own text, from our own rules and specification
        found: Callable[..., Any] = self.space[name]
        return found

    def _text(self, condition: str, place: str) -> str:
        """A condition with what stands for its braces."""
        for braces, sign, ref in self.unit.braces(condition, place):
            if sign in _WORKED_OUT:
                value = self._worked_out(_WORKED_OUT[sign], ref, place)
            else:
                value = f"n{ref.loop}" if sign == "#" else self._value(ref, place)
            condition = condition.replace(braces, value)
        return condition

    def _worked_out(self, form: str, ref: Ref, place: str) -> str:
        """The amount of a text, or what it takes off; worked out once for each unit."""
        if ref.loop not in self.unit.turn:
            return self._column(form.format(self._value(ref, place)))
        column = self._column(f"[{form.format('t')} for t in {self._value(ref, self.unit.loop.id)}]")
        if place not in self.unit.turn:
            return column
        return self.beside.setdefault(column, f"x{len(self.beside)}")

    def _value(self, ref: Ref, place: str) -> str:
        """The text of an element, or the list of its texts in all turns of the last loop."""
        if ref.loop in self.unit.turn:
            places = self.turned.get(ref, [])
            text = " or ".join(f"r[{number}]" for number in places) or "''"
            text = f"({text})" if len(places) > 1 else text
            return text if place in self.unit.turn else self._turns(text, places)
        if ref.loop in self.unit.loops:
            places = self.caught.get(ref, [])
            return f"({' or '.join(f'g[{number}]' for number in places)})" if places else "''"
        steps, level = 0, self.unit.loop.parent
        while level is not None and not any(inner.id == ref.loop for inner in conditions.loops_of(level)):
            steps, level = steps + 1, level.parent
        if level is None:
            return "''"
        tells = self.above.setdefault(steps, self.unit.told(level))
        return f"a{steps}[{tells.index(ref)}]"

    def _turns(self, text: str, places: list[int]) -> str:
        """The column of a value."""
        return self._column(f"columns[{places[0]}]" if len(places) == 1 else f"[{text} for r in turns]")

    def _column(self, text: str) -> str:
        return self.columns.setdefault(text, f"c{len(self.columns)}")

    def _questions(self, written: Written, row: str) -> list[str]:
        """Conditions that ask rules for single segments, and remember what kept them."""
        found = []
        for entry, node, groups in written[0].asked:
            if not groups:
                continue
            numbers = [written[1].groupindex[name] - 1 for name in groups.values()]
            name = f"q{len(self.space)}"
            self.space["m" + name] = memory = set[Any]()
            self.space[name] = _question(entry, node, [*groups], self.unit.marks, memory)
            key = ", ".join(f"{row}[{number}]" for number in numbers)
            key = f"({key})" if len(numbers) > 1 else key
            found.append(f"not {key} or {key} in m{name} or {name}({key}, tx)")
        return found


def _places(writer: Writer, pattern: re.Pattern[str]) -> dict[Ref, list[int]]:
    """Where the groups of a match hold what is wanted."""
    found: dict[Ref, list[int]] = {}
    for name, ref in writer.groups.items():
        found.setdefault(ref, []).append(pattern.groupindex[name] - 1)
    return found


def _sayer(refs: list[Ref], mark: str) -> Callable[[Part], tuple[str, ...]]:
    """What a level says that was looked at closely, found out once."""

    def say(part: Part) -> tuple[str, ...]:
        part.said = found = conditions.said(part, refs, mark)
        return found

    return say


def _question(entry: Any, node: Node, places: list[int], marks: Marks, memory: set[Any]) -> Callable[[Any, Tx], bool]:
    """Ask a rule about a segment with these elements: a text for one, a tuple for several."""

    constants = [node.id, *[element.constant for element in node.elements]]

    def keeps(key: Any, tx: Tx) -> bool:
        e = [*constants]
        for place, text in zip(places, (key,) if len(places) == 1 else key, strict=True):
            e[place] = text
        if places == [0]:
            (e,) = marks.segments(key)
        if next(iter(entry((e, node, 0, 0), tx)), None) is not None:
            return False
        if len(memory) >= _MOST_REMEMBERED:
            memory.clear()
        memory.add(key)
        return True

    return keeps
