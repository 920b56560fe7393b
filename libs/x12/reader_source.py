"""The source text of a set's readers: for each segment the statements that fill its fields."""

from dataclasses import replace
from typing import Any

from libs.x12 import shapes
from libs.x12.grammar import Element, Loop, Node, Spec
from libs.x12.reader_parts import (
    append,
    common_prefix,
    contact,
    given,
    least,
    names,
    new_draft,
    parts_of,
    renamed,
    scalar,
    skipped,
    target_of,
)


class Compiler:
    """Writes the source of one set's readers."""

    def __init__(self, spec: Spec, component: str, repetition: str) -> None:
        self.spec = spec
        self.component = component
        self.repetition = repetition
        self.item = shapes.fields(shapes.named(spec.record))[spec.items].record if spec.items else None

    def owner(self, loop: Loop) -> type | None:
        """The class of the record that the loop's segments fill; None for an opaque loop."""
        if loop.parent is None:
            return shapes.named(self.spec.record)
        if loop.kind in ("item", "level"):
            return self.item
        if loop.kind == ".":
            return self.owner(loop.parent)
        if loop.kind == "->":
            base = self.item if loop.target.startswith("^") else self.owner(loop.parent)
            if base is None:
                return None
            for name in loop.target.lstrip("^").split("."):
                found = shapes.fields(base)[name].record
                assert found, f"{loop.id}: {loop.target} holds records"
                base = found
            return base
        return None

    def reader(self, node: Node) -> str | None:
        """The body of the node's function, or None when the segment has no field."""
        owner = self.owner(node.loop)
        if owner is None or not node.mapped or (node.id in ("HL", "LX") and not any(e.field for e in node.elements)):
            return None
        if node.raw:
            return self._raw(node, owner)
        base = self.item if node.target.startswith("^") and self.item else owner
        path = target_of(node, base)
        if path and not (node.elements and any(e.group for e in node.elements)):
            return self._into(node, base, path, "t" if node.target.startswith("^") else "o")
        if any(e.group for e in node.elements):
            return self._groups(node, base, path)
        if node.id == "PER":
            return None
        lines = self._fill(node, base, "o")
        return "\n".join(lines) if lines else None

    def collected(self, node: Node) -> str:
        """The field of the loop's record that the segment's own record goes to, if that is all that it does."""
        owner = self.owner(node.loop)
        if owner is None or node.raw or node.target.startswith("^"):
            return ""
        path = target_of(node, owner)
        if not path or "." in path or any(part.field.startswith("^") for part in parts_of(node)):
            return ""
        field = shapes.fields(owner)[path]
        shared = any(loop.target.partition(".")[0] == path for loop in node.loop.loops())
        alone = sum(other.target.partition(".")[0] == path for other in node.loop.nodes()) <= 1
        return path if field.record and (field.many or (alone and not shared and node.repeat == 1)) else ""

    def _raw(self, node: Node, owner: type) -> str:
        *path, last = node.raw.split(".")
        lines, variable, owner = self._walk("o", owner, path, 1)
        if shapes.fields(owner)[last].kind == "segment":
            return "\n".join([*lines, *append(f"{variable}.{last}", "tuple(e)", 1)])
        return "\n".join([*lines, f"    {variable}.{last} = tuple(e[1:])"])

    def _walk(self, variable: str, owner: type, path: list[str], indent: int) -> tuple[list[str], str, type]:
        """Get or create the records along a path."""
        lines: list[str] = []
        pad = "    " * indent
        for name in path:
            found = shapes.fields(owner)[name].record
            assert found, name
            inner = f"{variable}_{name}"
            lines += [
                f"{pad}{inner} = {variable}.{name}",
                f"{pad}if {inner} is None: {inner} = {variable}.{name} = {shapes.new_name(found)}()",
            ]
            variable, owner = inner, found
        return lines, variable, owner

    def _into(self, node: Node, base: type, path: str, holder: str) -> str:
        """Fill a record of the segment's own, then hang it where it belongs."""
        *way, last = path.split(".")
        lines, variable, owner = self._walk(holder, base, way, 1)
        field = shapes.fields(owner)[last]
        assert field.record, f"{node.id} -> {path}"
        if field.many:
            lines.append(f"    x = {shapes.new_name(field.record)}()")
        else:
            lines += [f"    x = {variable}.{last}", f"    if x is None: x = {shapes.new_name(field.record)}()"]
        lines += self._own(node, field.record)
        lines += append(f"{variable}.{last}", "x", 1) if field.many else [f"    {variable}.{last} = x"]
        return "\n".join(lines)

    def _own(self, node: Node, record: type) -> list[str]:
        """Fill the record of the segment's own, `x`."""
        lines = contact() if node.id == "PER" else self._fill(node, record, "x")
        return [*lines, f"    x.level = {node.loop.id!r}"] if record.__name__ == "Rejection" else lines

    def maker(self, node: Node, path: str) -> str:
        """The body of a function that makes of a collected segment its finished record, or the list of them."""
        lines, value = self._made(node, path)
        return "\n".join([*lines, f"    return {value}"])

    def collect(self, node: Node, path: str) -> list[str]:
        """Statements that make the finished records of a collected segment, and give them to the loop's, `o`."""
        lines, value = self._made(node, path)
        place = f"o.{path}"
        if value == "made":
            return [*lines, f"    if made: {place} = [*{place}, *made] if {place} else made"]
        return [*lines, *(append(place, "x", 1) if value == "[x]" else [f"    {place} = x"])]

    def _made(self, node: Node, path: str) -> tuple[list[str], str]:
        """Statements that make the finished records of a collected segment, and what they are then."""
        owner = self.owner(node.loop)
        assert owner
        field = shapes.fields(owner)[path]
        assert field.record
        if any(e.group for e in node.elements):
            done = [f"    {line}" for line in shapes.finish(field.record, "x", (), (), whole=True)]
            return self._group(node, field.record, done), "made"
        own = self._own(node, field.record)
        filled = names("\n".join(own), "x")
        done = shapes.finish(field.record, "x", filled, filled, whole=True)
        lines = [*new_draft(field.record, "    ", given(node, field.record)), *own, *done]
        return lines, "[x]" if field.many else "x"

    def _groups(self, node: Node, base: type, path: str) -> str:
        """A segment that repeats a group of elements: one record for each."""
        record = shapes.fields(base)[path].record
        assert record
        lines = [f"    if o.{path}: o.{path}.extend(made)", f"    elif made: o.{path} = made"]
        return "\n".join([*self._group(node, record, []), *lines])

    def _group(self, node: Node, record: type, done: list[str]) -> list[str]:
        """Fill the list `made` with a record for each group of elements, and do with each what is to be done."""
        shared = [(i + 1, e) for i, e in enumerate(node.elements) if e.group is None]
        grouped = [(i + 1, e) for i, e in enumerate(node.elements) if e.group]
        first, size = grouped[0][0], grouped[0][1].group[1]  # type: ignore[index]
        lines = ["    n = len(e)", "    made = []", f"    for i in range({first}, n, {size}):"]
        there = [(element, f"e[{position}]") for position, element in shared if element.field]
        there += [(grouped[0][1], "e[i]")] if grouped[0][1].field or grouped[0][1].components else []
        values = [line for element, text in there for line in self._assign(element, record, "x", text, 2)]
        known = {name for name in (element.field for element, _ in there) if name and self._text(record, name)}
        lines.append(f"        if not e[i] and not any(e[i:i + {size}]): continue")
        lines += [*new_draft(record, "        ", known), *values]
        for place, (_, element) in enumerate(grouped[1:size], 1):
            if element.field or element.components:
                lines += [f"        if n > i + {place}:"]
                lines += self._assign(element, record, "x", f"e[i + {place}]", 3)
        return [*lines, *done, "        made.append(x)"]

    def _text(self, record: type, name: str) -> bool:
        """A field of the record that holds a text as it is."""
        field = shapes.fields(record).get(name)
        return field is not None and field.kind == "str" and not field.many

    def _fill(self, node: Node, record: type, variable: str) -> list[str]:
        """Nested tests of the segment's length, each with the assignment that it allows."""
        known = shapes.fields(record)
        lines: list[str] = []
        indent = 1
        done: set[str] = set()
        prefix = common_prefix(node)
        if prefix and prefix in known and known[prefix].record:
            walk, variable, record = self._walk(variable, record, [prefix], 1)
            inner = [renamed(e, e.field.partition(".")[2]) if "." in e.field else e for e in node.elements]
            body = self._fill(replace(node, elements=tuple(inner)), record, variable)
            return [body[0], *walk, *body[1:]] if body else []
        for position, element in enumerate(node.elements, 1):
            body = self._element(node, element, position, record, known, variable, indent + 1, done)
            if position < least(node):
                lines += [line[4:] for line in body]
            elif body:
                lines += ["    " * indent + f"if n > {position}:", *body]
                indent += 1
        return ["    n = len(e)", *lines] if lines else []

    def _element(
        self,
        node: Node,
        element: Element,
        position: int,
        record: type,
        known: Any,
        variable: str,
        indent: int,
        done: set[str],
    ) -> list[str]:
        if element.usage == "N" or skipped(element, record):
            return []
        name = element.field
        head = name.lstrip("^").partition(".")[0].partition("/")[0]
        if not element.components and not name:
            return []
        if name and not name.startswith("^") and head not in known:
            return []
        if name in known and known[name].kind == "datetime":
            if name in done:
                return []
            done.add(name)
            pad = "    " * indent
            later = f"e[{position + 1}] if n > {position + 1} else ''"
            return [f"{pad}if e[{position}]: {variable}.{name} = STAMP[e[{position}], {later}]"]
        return self._assign(element, record, variable, f"e[{position}]", indent)

    def _assign(  # noqa: PLR0911 - one answer for each kind of field
        self, element: Element, record: type, variable: str, text: str, indent: int
    ) -> list[str]:
        """Statements that put an element's text where it belongs."""
        pad = "    " * indent
        if element.components:
            return self._composite(element, record, variable, text, indent)
        name = element.field
        if name.startswith("^"):
            assert self.item
            variable, record, name = "t", self.item, name[1:]
        name, _, second = name.partition("/")
        *way, last = name.split(".")
        if way:
            lines, inner, owner = self._walk(variable, record, way, indent + 1)
            rest = self._assign(renamed(element, last), owner, inner, text, indent + 1)
            return [f"{pad}if {text}:", *lines, *rest]
        field = shapes.fields(record)[last]
        place = f"{variable}.{last}"
        if second:
            return [f"{pad}{place}, {variable}.{second} = SPAN[{text}]"]
        if field.many:
            if field.kind == "str" and element.repeats > 1:
                if not self.repetition:
                    return append(place, text, indent)
                value = f"{text}.split({self.repetition!r})"
                return [f"{pad}if {text}: {place} = [*{place}, *{value}] if {place} else {value}"]
            value = f"INT[{text}]" if field.kind == "int" else text
            return [f"{pad}if {text}:", *append(place, value, indent + 1)]
        return [pad + scalar(field, place, text)]

    def _composite(self, element: Element, record: type, variable: str, text: str, indent: int) -> list[str]:
        pad = "    " * indent
        known = shapes.fields(record)
        if element.field:
            return [f"{pad}if {text}: {variable}.{element.field} = {text}.split({self.component!r})"]
        lines: list[str] = []
        deeper = indent
        for place, part in enumerate(element.components):
            head = part.field.partition("/")[0].partition(".")[0].lstrip("^")
            if part.usage == "N" or not head or (head not in known and not part.field.startswith("^")):
                continue
            if skipped(part, record):
                continue
            lines += ["    " * deeper + f"if m > {place}:"]
            deeper += 1
            lines += self._assign(part, record, variable, f"c[{place}]", deeper)
        if not lines:
            return []
        return [f"{pad}c = {text}.split({self.component!r}); m = len(c)", *lines]
