"""Writers compiled from a specification: one function for each loop, which turns its record into segments."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from libs.x12 import convert, grammar, shapes
from libs.x12.grammar import Loop, Node
from libs.x12.reader_parts import target_of
from libs.x12.reader_source import Compiler
from libs.x12.records import Delimiters
from libs.x12.writer_parts import child_flag, emit, key_of, required, single_slot, tests
from libs.x12.writer_text import Text, TextCompiler, braced

Writer = Callable[[Any, list[str], Any], None]

MONEY = convert.Remembered(lambda value: "" if value is None else convert.money(value))
PLAIN = convert.Remembered(lambda value: "" if value is None else convert.plain(value))
DAY = convert.Remembered(lambda value: "" if value is None else f"{value:%Y%m%d}")
SPAN = convert.Remembered(lambda pair: "" if pair[0] is None else convert.days(*pair))


class WriteCompiler(TextCompiler):
    """Writes the source of one set's writers for one set of delimiters."""

    def __init__(self, name: str, marks: Delimiters) -> None:
        self.spec = grammar.spec(name)
        self.marks = marks
        self.base = Compiler(self.spec, marks.component, marks.repetition)
        self.space: dict[str, Any] = {
            "MONEY": MONEY, "PLAIN": PLAIN, "DAY": DAY, "SPAN": SPAN,
        }  # fmt: skip
        self.writers: dict[int, Writer] = {}
        self._loop(self.spec.root)

    def _loop(self, loop: Loop) -> None:
        for child in loop.loops():
            self._loop(child)
        body = self._children(loop)
        source = "\n".join(["def write(o, out, w):", "    start = len(out)", *(body or ["    pass"])])
        exec(source, self.space)  # noqa: S102 - our own text, from our own specification
        self.writers[id(loop)] = self.space["write"]
        self.space[f"loop_{id(loop)}"] = self.space["write"]
        self.space[f"L_{id(loop)}"] = loop

    def _children(self, loop: Loop) -> list[str]:
        """Statements for the loop's segments and loops, in order."""
        owner = self.base.owner(loop)
        if owner is None:
            return []
        lines: list[str] = []
        taken: dict[str, set[str]] = {}
        items_done = False
        for child in loop.children:
            if isinstance(child, Node):
                lines += self._node(child, owner, taken)
            elif child.kind in ("item", "level"):
                if not items_done and loop.kind == ".":
                    lines.append("    w.items()")
                    items_done = True
            else:
                lines += self._inner(child, owner)
        for path, codes in taken.items():
            lines += [
                f"    for x in o.{path}:",
                f"        if x.{key_of(path)} not in {sorted(codes)!r}: w.misplaced({loop.id!r}, {path!r}, x)",
            ]
        if "extra" in shapes.fields(owner) and loop.kind != ".":
            lines.append(f"    if o.extra: w.merge(L_{id(loop)}, o, out, start)")
            self.space[f"L_{id(loop)}"] = loop
        return lines

    def _inner(self, loop: Loop, owner: type) -> list[str]:
        """Call the writer of a loop within."""
        call = f"loop_{id(loop)}"
        if loop.kind == ".":
            if loop.usage == "S":
                heads = sorted(self._own_heads(loop))
                test = " or ".join(f"o.{name}" for name in heads) or "False"
                return [f"    if {test}: {call}(o, out, w)"]
            return [f"    {call}(o, out, w)"]
        if loop.kind != "->":
            return []
        *way, last = loop.target.split(".")
        lines, variable, indent = [], "o", 1
        for name in way:
            lines += ["    " * indent + f"p = {variable}.{name}", "    " * indent + "if p is not None:"]
            variable, indent = "p", indent + 1
            found = shapes.fields(owner)[name].record
            assert found
            owner = found
        pad = "    " * indent
        if shapes.fields(owner)[last].many:
            if loop.hierarchical:
                return [*lines, f"{pad}for x in {variable}.{last}: w.nested({call}, x, out)"]
            counter = [f"{pad}    w.line += 1"] if loop.first.id == "LX" else []
            reset = [f"{pad}w.line = 0"] if counter else []
            return [*lines, *reset, f"{pad}for x in {variable}.{last}:", *counter, f"{pad}    {call}(x, out, w)"]
        missing = [f"{pad}else: w.lacking({loop.id!r}, {last!r})"] if loop.usage == "R" else []
        return [*lines, f"{pad}x = {variable}.{last}", f"{pad}if x is not None: {call}(x, out, w)", *missing]

    def _own_heads(self, loop: Loop) -> set[str]:
        """The fields that a shared loop fills."""
        found: set[str] = set()
        owner = self.base.owner(loop)
        assert owner
        for node in loop.nodes():
            path = target_of(node, owner)
            if path:
                found.add(path.partition(".")[0])
            else:
                for element in node.elements:
                    for part in (element, *element.components):
                        name = part.field.partition("/")[0].partition(".")[0]
                        if name in shapes.fields(owner) and shapes.fields(owner)[name].default in ("", None, ()):
                            found.add(name)
        return found

    def _node(self, node: Node, owner: type, taken: dict[str, set[str]]) -> list[str]:  # noqa: PLR0911 - by kind
        """Statements that write one segment, or as many as there are records for it."""
        if node.id in ("LS", "LE"):
            return self._bracket(node)
        if node.id == "HL":
            return [f"    w.hl(out, {node.elements[2].constant!r}, {child_flag(node)!r})"]
        if not node.mapped or node.when == "never":
            return []
        if node.raw:
            return self._raw(node, owner)
        base, holder = (self.base.item, "w.item") if node.target.startswith("^") else (owner, "o")
        assert base
        path = target_of(node, base)
        if any(element.group for element in node.elements):
            return self._groups(node, base, path)
        if path:
            return self._from(node, base, path, holder, taken)
        single = single_slot(node, base)
        if single:
            return [f"    for v in o.{single}:", *emit(self._text(node, base, "o", slot="v"), 2)]
        return self._plain(node, base)

    def _bracket(self, node: Node) -> list[str]:
        """LS and LE around a loop that has records."""
        inner = next(loop for loop in node.loop.loops() if loop.first.id == "NM1")
        mark = self.marks.element
        return [f"    if o.{inner.target}: out.append({node.id + mark + node.elements[0].constant!r})"]

    def _raw(self, node: Node, owner: type) -> list[str]:
        *way, last = node.raw.split(".")
        mark = self.marks.element
        holder = "o" if not way else f"o.{way[0]}"
        guard = f"    if {holder} is not None:\n    " if way else ""
        field_owner = owner
        for name in way:
            inner = shapes.fields(field_owner)[name].record
            assert inner
            field_owner = inner
        if shapes.fields(field_owner)[last].kind == "segment":
            if node.loop.nodes().index(node) != next(i for i, n in enumerate(node.loop.nodes()) if n.raw == node.raw):
                return []
            return [f"{guard}    for x in {holder}.{last}: out.append({mark!r}.join(x))"]
        return [
            f"{guard}    if {holder}.{last}:"
            f" out.append({mark!r}.join(({node.id!r}, *{holder}.{last})).rstrip({mark!r}))"
        ]

    def _plain(self, node: Node, owner: type) -> list[str]:
        """A segment from the fields of the loop's own record."""
        filled = tests(node, owner, "o")
        text = self._text(node, owner, "o")
        if "{" not in text.expression or (not filled and node.usage != "R"):
            return []
        if node.when:
            test = f"not o.{node.when[1:]}" if node.when.startswith("!") else f"o.{node.when}"
            filled = [f"{test} and ({' or '.join(filled)})"]
        if node.usage == "R":
            return emit(text, 1, required(node, owner, "o", 1))
        return [f"    if {' or '.join(filled)}:", *emit(text, 2, required(node, owner, "o", 2))]

    def _from(self, node: Node, base: type, path: str, holder: str, taken: dict[str, set[str]]) -> list[str]:
        """A segment from a record of its own."""
        *way, last = path.split(".")
        lines, indent = [], 1
        for name in way:
            lines += ["    " * indent + f"p = {holder}.{name}", "    " * indent + "if p is not None:"]
            holder, indent = "p", indent + 1
            inner = shapes.fields(base)[name].record
            assert inner
            base = inner
        field = shapes.fields(base)[last]
        record = field.record
        assert record
        text = self._text(node, record, "x")
        pad = "    " * indent
        if field.many:
            test = self._share(node, record, path if holder == "o" else "", taken, base)
            return [
                *lines,
                f"{pad}for x in {holder}.{last}:",
                *([f"{pad}    if {test}:"] if test else []),
                *emit(text, indent + (2 if test else 1), required(node, record, "x", indent + (2 if test else 1))),
            ]
        filled = tests(node, record, "x")
        test = " and (" + " or ".join(filled) + ")" if filled and node.usage == "S" else ""
        return [
            *lines,
            f"{pad}x = {holder}.{last}",
            f"{pad}if x is not None{test}:",
            *emit(text, indent + 1, required(node, record, "x", indent + 1)),
        ]

    def _share(self, node: Node, record: type, path: str, taken: dict[str, set[str]], base: type) -> str:
        """Which records of a collection this segment is for: those that it allows and no earlier one took."""
        if record.__name__ == "Rejection":
            return f"(x.level or w.level) == {node.loop.id!r}" if base is self.base.item else ""
        position, codes = node.qualifier
        if not position or not path or record.__name__ in ("Status", "Trace", "Party"):
            return ""
        earlier = taken.setdefault(path, set())
        mine = sorted(set(codes) - earlier)
        earlier |= set(codes)
        return f"x.{key_of(path)} in {tuple(mine)!r}"

    def _groups(self, node: Node, base: type, path: str) -> list[str]:
        """A segment that repeats a group of elements: several records in one segment."""
        record = shapes.fields(base)[path].record
        assert record
        shared = [e for e in node.elements if e.group is None]
        size = next(e.group[1] for e in node.elements if e.group)
        grouped = [e for e in node.elements if e.group]
        mark = braced(self.marks.element)
        head, part = Text(owner=record, variable="x"), Text(owner=record, variable="x", _names=50)
        pieces = mark.join([node.id, *(self._slot(e, head) for e in shared)])
        tail = "".join(mark + self._slot(e, part) for e in grouped[:size])
        room = node.repeat * len(grouped) // size
        surplus = f"    if len(o.{path}) > {room}: w.surplus({node.loop.id!r}, {path!r}, {room})"
        return [
            *([] if shared else [surplus]),
            "    last = None; room = 0",
            f"    for x in o.{path}:",
            f"        key = ({''.join(f'x.{e.field}, ' for e in shared)})",
            "        if key != last or not room:",
            f"            if last is not None: out[-1] = out[-1].rstrip({self.marks.element!r})",
            *("            " + line for line in head.lines),
            f"            out.append(f{pieces!r}); room = {len(grouped) // size}; last = key",
            *(f"            w.values.append({value})" for value in head.raw),
            *("        " + line for line in part.lines),
            *(f"        w.values.append({value})" for value in part.raw),
            f"        out[-1] += f{tail!r}; room -= 1",
            f"    if last is not None: out[-1] = out[-1].rstrip({self.marks.element!r})",
        ]


@lru_cache(maxsize=16)
def writers(name: str, marks: Delimiters) -> WriteCompiler:
    """The compiled writers of a set."""
    return WriteCompiler(name, marks)
