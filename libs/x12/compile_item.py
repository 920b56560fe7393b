"""Whole items at once: for each loop of an item, or of a level above items, one function that reads all of it.

Such a function reads what stands in the guide's order. Whatever does not is `Irregular`: the item is then read segment
by segment (`compile_read`), which gives the same record for the same text, and puts up with anything."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from libs.x12 import shapes
from libs.x12.grammar import QUALIFIED, Loop, Node
from libs.x12.open_loops import inherited
from libs.x12.reader_parts import append, names
from libs.x12.reader_source import Compiler

#: Reads the segments into a draft that has the text of its first one; what stands above it is given.
Whole = Callable[[list[str], Iterator[list[str]], Any, Any], None]
_BETWEEN = ("HL", "LX", "LS", "LE")


class Irregular(ValueError):
    """A segment that does not stand where the guide has it."""


def irregular(e: list[str], _it: Iterator[list[str]], _o: Any, _above: Any) -> None:
    """Reads no item: it begins where the guide has none."""
    raise Irregular(e[0])


@dataclass(slots=True)
class Fills:
    """Fields that the function of a loop fills: of the record `o` that its segments belong to, and of the item `t`."""

    fields: dict[str, set[str]] = field(default_factory=lambda: {"o": set(), "t": set()})
    drafts: dict[str, set[str]] = field(default_factory=lambda: {"o": set(), "t": set()})
    """Those of them that may hold drafts until all of the record is read."""

    def note(self, lines: list[str], *, drafts: bool) -> None:
        """What these statements fill."""
        text = "\n".join(lines)
        for variable in "ot":
            self.fields[variable] |= names(text, variable)
            self.drafts[variable] |= names(text, variable) if drafts else set()

    def add(self, other: "Fills", variables: str = "ot") -> None:
        """What a loop within fills."""
        for variable in variables:
            self.fields[variable] |= other.fields[variable]
            self.drafts[variable] |= other.drafts[variable]


class ItemCompiler:
    """Writes the functions of one item's or level's loops."""

    def __init__(self, compiler: Compiler, named: dict[str, list[Node]], space: dict[str, Any]) -> None:
        self.compiler = compiler
        self.named = named
        self.space = space
        self.sources: list[str] = []
        space["Irregular"], space["head"] = Irregular, re.compile(r"[A-Za-z0-9]*").match

    def whole(self, loop: Loop) -> Whole:
        """The function that reads all of an item, or of a level."""
        item = self.compiler.item
        assert item
        found = Fills()
        body = [*self._statements(loop.first, item, found), *self._phases(loop, item, found)]
        filled, drafts = (kind["o"] | kind["t"] for kind in (found.fields, found.drafts))
        above = inherited(loop, self.compiler)
        blank = [name for name in shapes.fields(item) if name not in above and name != "source"]
        lines = ["def whole(e, it, o, above):", "    t = o"]
        lines += ["    " + line for line in shapes.blank(item, "o", blank)]
        for name in sorted(above):
            value, more = f"above.{name}", shapes.fields(item)[name].many and name in filled
            lines.append(f"    o.{name} = [*{value}] if {value} else ()" if more else f"    o.{name} = {value}")
        lines += [*body, "    if e is not None: raise Irregular"]
        lines += shapes.finish(item, "o", filled, drafts, whole=loop.kind == "item")
        exec("\n".join([*self.sources, *lines]), self.space)  # noqa: S102 - our own text, from our own specification
        made: Whole = self.space["whole"]
        return made

    def _loop(self, loop: Loop, found: Fills) -> str:
        """Write the function of a loop within; its name."""
        owner = self.compiler.owner(loop) if loop.kind == "->" else None
        place = len(self.sources)
        self.sources.append("")
        inside = Fills()
        if owner is None:
            record = self._holder(loop)
            lines = ["    o = h", *self._statements(loop.first, record, inside), *self._phases(loop, record, inside)]
            found.add(inside)
        else:
            lines = self._hang(loop, owner, found)
            lines += [*self._statements(loop.first, owner, inside), *self._phases(loop, owner, inside)]
            lines += shapes.finish(owner, "o", inside.fields["o"], inside.drafts["o"], whole=True)
            found.add(inside, "t")
        self.sources[place] = "\n".join([f"def read_{place}(e, it, h, t):", *lines, "    return e", ""])
        return f"read_{place}"

    def _holder(self, loop: Loop) -> type:
        """The class of the record that a loop without one of its own fills."""
        while (owner := self.compiler.owner(loop)) is None:
            assert loop.parent
            loop = loop.parent
        return owner

    def _hang(self, loop: Loop, owner: type, found: Fills) -> list[str]:
        """Make the loop's record and hang it on the one that it belongs to."""
        assert loop.parent
        base, holder, variable = self._holder(loop.parent), "h", "o"
        if loop.target.startswith("^"):
            assert self.compiler.item
            base, holder, variable = self.compiler.item, "t", "t"
        *way, last = loop.target.lstrip("^").split(".")
        found.note([f"{variable}.{(*way, last)[0]}"], drafts=bool(way))
        lines = []
        for name in way:
            inner = shapes.fields(base)[name].record
            assert inner
            lines += [f"    x = {holder}.{name}", f"    if x is None: x = {holder}.{name} = {shapes.new_name(inner)}()"]
            lines.append(f"    h_{name} = x")
            holder, base = f"h_{name}", inner
        make = [f"    o = new({shapes.new_name(owner)})", *("    " + line for line in shapes.blank(owner, "o"))]
        if shapes.fields(base)[last].many:
            return [*lines, *make, *append(f"{holder}.{last}", "o", 1)]
        make.append(f"    {holder}.{last} = o")
        lines += [f"    o = {holder}.{last}", "    if o is None:", *("    " + line for line in make)]
        return [*lines, f"    elif o.__class__ is not {shapes.new_name(owner)}: raise Irregular"]

    def _statements(self, node: Node, record: type, found: Fills) -> list[str]:
        """What a segment does to the records."""
        body = self.compiler.reader(node)
        name = self.compiler.collected(node) if body is not None else ""
        if name:
            lines = self.compiler.collect(node, name)
        elif body is not None:
            lines = body.splitlines()
        elif node.id in _BETWEEN:
            return []
        else:
            item = self.compiler.item
            holder = "o" if "extra" in shapes.fields(record) else "t"
            known = holder == "o" or (item and "extra" in shapes.fields(item))
            lines = append(f"{holder}.extra", "tuple(e)", 1) if known else []
        found.note(lines, drafts=not name)
        return lines

    def _phases(self, loop: Loop, record: type, found: Fills) -> list[str]:
        """First the loop's own segments, then the loops within it and its own segments after them."""
        children = [
            child for child in loop.children[1:] if isinstance(child, Node) or child.kind not in ("item", "level")
        ]
        inner = min((child.ordinal for child in children if isinstance(child, Loop)), default=10**9)
        own = [child for child in children if isinstance(child, Node) and child.ordinal < inner]
        later = [child for child in children if child.ordinal >= inner]
        tracked = _tracked(loop, children)
        lines = ["    at = 0"] if tracked else []
        if own:
            chain = self._chain(own, record, found, tracked=tracked, after="")
            lines += ["    for e in it:", *("    " + line for line in chain), "    else: e = None"]
        else:
            lines.append("    e = next(it, None)")
        if later:
            chain = self._chain(later, record, found, tracked=tracked, after="    e = next(it, None)")
            lines += ["    while e is not None:", *("    " + line for line in chain)]
        return lines

    def _chain(
        self, children: Sequence[Node | Loop], record: type, found: Fills, *, tracked: bool, after: str
    ) -> list[str]:
        """Which of these a segment is, and what is done with it; none of them ends the loop."""
        groups: dict[str, list[Node | Loop]] = {}
        for child in children:
            groups.setdefault(_head(child).id, []).append(child)
        lines, word = ["    s = e[0]"], "if"
        for name, members in groups.items():
            lines.append(f"    {word} s == {name!r}:")
            word = "elif"
            position = max(node.qualifier[0] for node in self.named[name])
            if position:
                lines.append(f"        q = {f'head(e[{position}])[0]' if name == 'HI' else f'e[{position}]'}")
            inner, closed = "if", False
            for child in sorted(members, key=_vague):
                tests = [_test(_head(child))] if _head(child).qualifier[0] else []
                tests += [f"at <= {child.ordinal}"] if tracked else []
                body = [f"    at = {child.ordinal}"] if tracked else []
                body += self._do(child, record, found, after)
                if not tests and inner == "if":
                    lines += ["    " + line for line in body]
                else:
                    lines.append(f"        {inner} {' and '.join(tests)}:" if tests else "        else:")
                    lines += ["        " + line for line in body]
                inner, closed = "elif", not tests
                if closed:
                    break
            lines += [] if closed else ["        else: break"]
        return [*lines, "    else: break"]

    def _do(self, child: Node | Loop, record: type, found: Fills, after: str) -> list[str]:
        if isinstance(child, Loop):
            return [f"    e = {self._loop(child, found)}(e, it, o, t)"]
        lines = self._statements(child, record, found)
        return [*lines, after] if after else lines or ["    pass"]


def _head(child: Node | Loop) -> Node:
    return child if isinstance(child, Node) else child.first


def _vague(child: Node | Loop) -> bool:
    """It may have any qualifier, and so is looked for last."""
    node = _head(child)
    return node.id in QUALIFIED and not node.qualifier[0]


def _test(node: Node) -> str:
    codes = node.qualifier[1]
    return f"q == {codes[0]!r}" if len(codes) == 1 else f"q in {{{repr(codes)[1:-1]}}}"


def _overlap(one: Node, other: Node) -> bool:
    """A segment may be either."""
    if one.id != other.id:
        return False
    mine, others = one.qualifier[1], other.qualifier[1]
    return not mine or not others or not set(mine).isdisjoint(others)


def _tracked(loop: Loop, children: list[Node | Loop]) -> bool:
    """Whether it matters how far in the loop a segment stands: it may be another of the loop, or of one around it."""
    for place, child in enumerate(children):
        if any(_overlap(_head(child), _head(other)) for other in children[:place] if other.ordinal != child.ordinal):
            return True
    path, around = loop, loop.parent
    while around is not None:
        ahead = [_head(child) for child in around.children if child.ordinal >= path.ordinal]
        if any(_overlap(_head(child), other) for child in children for other in ahead):
            return True
        path, around = around, around.parent
    return False
