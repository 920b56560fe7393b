"""The text of a segment: its elements as constants and variables of an f-string."""

from dataclasses import dataclass, field

from libs.x12 import shapes
from libs.x12.grammar import Element, Node
from libs.x12.reader_parts import skipped
from libs.x12.reader_source import Compiler
from libs.x12.records import Delimiters


@dataclass(slots=True)
class Text:
    """A segment's text as it is being compiled."""

    expression: str = ""
    owner: type = object
    variable: str = "o"
    slot: str = ""
    lines: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    dates: set[str] = field(default_factory=set)
    _names: int = 0

    def name(self) -> str:
        """A variable of its own."""
        self._names += 1
        return f"v{self._names}"


def braced(mark: str) -> str:
    """A delimiter within an f-string."""
    return mark * 2 if mark in "{}" else mark


class TextCompiler:
    """Writes the statements and f-strings of segments for one set of delimiters."""

    marks: Delimiters
    base: Compiler

    def _text(self, node: Node, owner: type, variable: str, slot: str = "") -> "Text":
        """The statements and the f-string of a segment, and its free texts."""
        if node.id == "PER" and owner.__name__ == "Contact":
            return Text(expression=f"w.contact({variable}, {node.qualifier[1]!r})")
        text = Text(owner=owner, variable=variable, slot=slot)
        pieces = [node.id]
        for element, following in zip(node.elements, (*node.elements[1:], None), strict=True):
            pieces.append(self._format(element, following, text) or self._slot(element, text))
        while len(pieces) > 1 and pieces[-1] == "":
            pieces.pop()
        mark = self.marks.element
        text.expression = f"f{braced(mark).join(pieces)!r}"
        if not self._ends(node, len(pieces) - 1):
            text.expression += f".rstrip({mark!r})"
        self._refuse_surplus(node, text)
        return text

    def _ends(self, node: Node, position: int) -> bool:
        """The last element that is written is never empty: it is required, and a simple one that is looked at."""
        last = node.elements[position - 1] if position else None
        return last is not None and last.usage == "R" and not last.components and last.number != "1251"

    def _refuse_surplus(self, node: Node, text: Text) -> None:
        """A collection of which the segment holds each value at an element of its own may not be longer."""
        for place, room in text.counts.items():
            name = place.rpartition(".")[2]
            text.lines.insert(0, f"if len({place}) > {room}: w.surplus({node.loop.id!r}, {name!r}, {room})")

    def _format(self, element: Element, following: Element | None, text: "Text") -> str:
        """D8 or RD8, as the dates that follow it are one day or a span."""
        if element.number != "1250" or following is None or not following.field or not element.codes:
            return ""
        first, _, last = following.field.lstrip("^").partition("/")
        holder = "w.item" if following.field.startswith("^") else text.variable
        if first not in shapes.fields(text.owner if holder != "w.item" else self.base.item or object):
            return ""
        if len(element.codes) > 1 and last:
            value = f"'RD8' if {holder}.{last} else 'D8'"
        elif element.usage == "S":
            value = f"{element.codes[0]!r} if {holder}.{first} else ''"
        else:
            return ""
        name = text.name()
        text.lines.append(f"{name} = {value}")
        return "{" + name + "}"

    def _slot(self, element: Element, text: "Text") -> str:
        """What stands at an element: a constant, a variable in braces, or nothing."""
        if element.usage == "N":
            return ""
        if element.components and not element.field:
            return self._composite(element, text)
        value = self._value(element, text)
        if not value:
            return element.default or (element.codes[0] if element.usage == "R" and element.codes else "")
        if self._is_text(element, text.owner) or text.slot:
            text.raw.append(value)
        return "{" + value + "}"

    def _composite(self, element: Element, text: "Text") -> str:
        inner = [self._slot(part, text) for part in element.components]
        mark = self.marks.component
        dynamic = [(i, piece[1:-1]) for i, piece in enumerate(inner) if piece.startswith("{")]
        if not dynamic:
            return braced(mark).join(inner).rstrip(mark) if element.usage == "R" else ""
        name = text.name()
        value = f"f{braced(mark).join(inner)!r}.rstrip({mark!r})"
        if element.usage != "R":
            main = dynamic[1][1] if dynamic[0][0] == 0 and len(dynamic) > 1 else dynamic[0][1]
            value += f" if {main} else ''"
        text.lines.append(f"{name} = {value}")
        return "{" + name + "}"

    def _is_text(self, element: Element, owner: type) -> bool:
        *_, last = element.field.lstrip("^").partition("/")[0].split(".")
        field = shapes.fields(owner).get(last)
        return field is None or (field.kind == "str" and not (field.many and element.repeats > 1))

    def _value(self, element: Element, text: "Text") -> str:
        """A variable that holds an element's text, or '' for one without a field."""
        name, owner, variable = element.field, text.owner, text.variable
        if skipped(element, owner) or not name:
            return ""
        if name.startswith("^"):
            assert self.base.item
            variable, owner, name = "w.item", self.base.item, name[1:]
        name, _, second = name.partition("/")
        *way, last = name.split(".")
        guards = []
        for part in way:
            if part not in shapes.fields(owner):
                return ""
            inner = shapes.fields(owner)[part].record
            assert inner
            variable, owner = f"{variable}.{part}", inner
            guards.append(f"{variable} is not None")
        field = shapes.fields(owner).get(last)
        if field is None:
            return ""
        value = self._scalar(element, field, f"{variable}.{last}", second, text)
        if guards:
            value = f"({value}) if {' and '.join(guards)} else ''"
        if value.isidentifier():
            return value
        local = text.name()
        text.lines.append(f"{local} = {value}")
        if field.many and element.repeats > 1:
            text.raw.append(f"''.join({variable}.{last})")
        return local

    def _scalar(  # noqa: PLR0911 - one answer for each kind of field
        self, element: Element, field: shapes.Field, place: str, second: str, text: "Text"
    ) -> str:
        """The expression of a field's text."""
        if second:
            return f"SPAN[{place}, {place.rpartition('.')[0]}.{second}]"
        if field.many:
            return self._many(element, place, text)
        if field.kind == "datetime":
            first = place not in text.dates
            text.dates.add(place)
            return f"w.day({place})" if first else f"w.time({place})"
        if field.kind == "cents":
            always = field.optional or element.usage == "R"
            return f"MONEY[{place}]" if always else f"MONEY[{place}] if {place} else {element.default!r}"
        if field.name == "number" and element.number == "554":
            return f"{place} or {'w.line' if field.kind == 'int' else repr('1')}"
        if field.kind == "int":
            return place if element.usage == "R" else f"'' if {place} is None else {place} or ''"
        if field.kind == "bool":
            return f"'1' if {place} else '2'"
        table = {"decimal": "PLAIN", "date": "DAY"}.get(field.kind)
        if table:
            return f"{table}[{place}]"
        default = element.default or (element.constant if element.usage == "R" else "")
        return f"{place} or {default!r}" if default else place

    def _many(self, element: Element, place: str, text: "Text") -> str:
        """One value of a collection, or all of them where the element holds all."""
        if text.slot:
            return text.slot
        if element.components:
            return f"{self.marks.component!r}.join({place})"
        if element.repeats > 1:
            return f"{self.marks.repetition!r}.join({place})"
        index = text.counts.get(place, 0)
        text.counts[place] = index + 1
        return f"{place}[{index}] if len({place}) > {index} else ''"
