"""What opening a loop does to the records under construction."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from libs.x12 import shapes
from libs.x12.grammar import Loop
from libs.x12.reader_parts import target_of

if TYPE_CHECKING:
    from libs.x12.reader_source import Compiler


def opener(loop: Loop, compiler: "Compiler") -> Callable[[list[Any]], Any]:
    """A function that makes the loop's record, hangs it on its parent and puts it at the loop's depth."""
    depth = loop.depth
    owner = compiler.owner(loop)
    if loop.kind in ("item", "level"):
        return _item(loop, compiler)
    if loop.kind != "->" or owner is None:

        def share(open_records: list[Any]) -> Any:
            open_records[depth] = record = open_records[depth - 1]
            return record

        return share
    assert loop.parent
    base = compiler.item if loop.target.startswith("^") else compiler.owner(loop.parent)
    assert base
    *way, last = loop.target.lstrip("^").split(".")
    space: dict[str, Any] = {"new": shapes.draft(owner)}
    lines = ["def make(records):", "    try:", f"        holder = records[{depth - 1}]"]
    for name in way:
        inner = shapes.fields(base)[name].record
        assert inner
        space[f"new_{name}"] = shapes.draft(inner)
        lines += [f"        inner = holder.{name}", f"        if inner is None: inner = holder.{name} = new_{name}()"]
        lines.append("        holder = inner")
        base = inner
    lines.append(f"        present = holder.{last}")
    if shapes.fields(base)[last].many:
        lines += ["        record = new()", "        if present: present.append(record)"]
        lines.append(f"        else: holder.{last} = [record]")
    else:
        lines.append("        record = present if present.__class__ is new else new()")
        lines.append(f"        holder.{last} = record")
    # without a holder that can take it, it was finished before: a loop where none belongs
    lines += ["    except AttributeError: record = new()", f"    records[{depth}] = record"]
    exec("\n".join([*lines, "    return record"]), space)  # noqa: S102 - our own text, from our own specification
    made: Callable[[list[Any]], Any] = space["make"]
    return made


def _item(loop: Loop, compiler: "Compiler") -> Callable[[list[Any]], Any]:
    """An item begins as what the levels above it have said."""
    depth = loop.depth
    assert compiler.item
    new = shapes.draft(compiler.item)
    inherit = inheritance(loop, compiler)

    def make(open_records: list[Any]) -> Any:
        above = open_records[depth - 1]
        record = new()
        if above.__class__ is new:
            inherit(record, above)
        open_records[depth] = record
        return record

    return make


def inheritance(loop: Loop, compiler: "Compiler") -> Callable[[Any, Any], None]:
    """A function that gives an item what the levels above it have said."""
    assert compiler.item
    known = shapes.fields(compiler.item)
    lines = ["def inherit(o, above):"]
    for name in sorted(inherited(loop, compiler)):
        value = f"above.{name}"
        lines.append(
            f"    o.{name} = list({value}) if {value} else ()" if known[name].many else f"    o.{name} = {value}"
        )
    space: dict[str, Any] = {}
    exec("\n".join([*lines, "    return"]), space)  # noqa: S102 - our own text, from our own specification
    found: Callable[[Any, Any], None] = space["inherit"]
    return found


def inherited(loop: Loop, compiler: "Compiler") -> set[str]:
    """Fields of the item that the loops above this one may fill."""
    found: set[str] = set()
    parent = loop.parent
    while parent is not None and parent.kind in ("item", "level", ".") and parent.parent is not None:
        if parent.kind != ".":
            found |= heads(parent, compiler)
        parent = parent.parent
    return found


def heads(loop: Loop, compiler: "Compiler") -> set[str]:
    """Fields of the item that this level fills itself."""
    assert compiler.item
    known = shapes.fields(compiler.item)
    found: set[str] = {"extra"}
    pending = [(child, True) for child in loop.children]
    while pending:
        child, direct = pending.pop()
        if isinstance(child, Loop):
            if child.kind in ("item", "level"):
                continue
            if child.kind == "->" and direct:
                found.add(child.target.lstrip("^").partition(".")[0])
            pending += [(inner, direct and child.kind == ".") for inner in child.children]
            continue
        found |= {name for name in _node_heads(child, compiler, direct) if name in known}
    return found


def _node_heads(node: Any, compiler: "Compiler", direct: bool) -> set[str]:
    assert compiler.item
    found = set()
    if node.target.startswith("^") or (direct and node.target):
        found.add(node.target.lstrip("^").partition(".")[0])
    elif direct and node.raw:
        found.add(node.raw.partition(".")[0])
    elif direct:
        path = target_of(node, compiler.item)
        if path:
            found.add(path)
    for element in node.elements:
        for part in (element, *element.components):
            name = part.field
            if name.startswith("^") or (direct and name and not node.target):
                found.add(name.lstrip("^").partition(".")[0].partition("/")[0])
                found.add(name.lstrip("^").partition("/")[2])
    return found - {""}
