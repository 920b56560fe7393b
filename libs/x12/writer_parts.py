"""What the source of writers is put together from: when a segment is worth writing, what it must not lack."""

from libs.x12 import shapes
from libs.x12.grammar import Node
from libs.x12.reader_parts import skipped
from libs.x12.writer_text import Text


def tests(node: Node, owner: type, variable: str) -> list[str]:
    """What makes a situational segment worth writing: any of its fields that has no standing value."""
    found = []
    for element in node.elements:
        for part in element.components or (element,):
            if part.usage == "N" or skipped(part, owner) or not part.field:
                continue
            if element.components and element.field:
                continue
            name = part.field.partition("/")[0]
            if name.startswith("^"):
                found.append(f"w.item.{name[1:]}")
                continue
            head, _, rest = name.partition(".")
            field = shapes.fields(owner).get(head)
            if field is None or (part is node.elements[0] and field.kind == "str" and part.codes and rest == ""):
                continue
            if rest:
                leaf = rest.rpartition(".")[2]
                inner = field.record
                assert inner
                if shapes.fields(inner).get(leaf) and shapes.fields(inner)[leaf].default not in ("", None, (), 0):
                    continue
                found.append(f"({variable}.{head} and {variable}.{name})")
            elif field.default in ("", None, ()) or (field.kind == "cents" and not field.optional):
                suffix = " is not None" if field.optional else ""
                found.append(f"{variable}.{name}{suffix}")
    return list(dict.fromkeys(found))


def required(node: Node, owner: type, variable: str, indent: int) -> list[str]:
    """Refuse to write a segment without what it must have."""
    lines = []
    for position, element in enumerate(node.elements, 1):
        parts = (
            [(element, "")] if not element.components else [(e, f"-{i}") for i, e in enumerate(element.components, 1)]
        )
        if element.usage != "R":
            continue
        for part, suffix in parts:
            name = part.field
            if part.usage != "R" or not name or skipped(part, owner) or part.default or part.constant:
                continue
            field = shapes.fields(owner).get(name.partition("/")[0])
            if field is None or field.kind not in ("str", "date") or field.default not in ("", None):
                continue
            if field.many:
                continue
            place = f"{node.id}{position:02d}{suffix}"
            where = f"w.lacking({node.loop.id!r}, {name!r}, {place!r})"
            lines.append("    " * indent + f"if not {variable}.{field.name}: {where}")
    return lines


def key_of(path: str) -> str:
    return (
        "function"
        if path == "contacts"
        else "code"
        if path == "notes"
        else "type"
        if path == "attachments"
        else "qualifier"
    )


def child_flag(node: Node) -> str:
    flag = node.elements[3] if len(node.elements) > 3 else None
    if flag is None or flag.usage != "R":
        return ""
    return flag.constant or "0"


def single_slot(node: Node, owner: type) -> str:
    """The collection that this segment carries one value of."""
    found = [
        part.field
        for element in node.elements
        for part in ([] if element.components else [element])
        if part.field in shapes.fields(owner) and shapes.fields(owner)[part.field].many and part.repeats == 1
    ]
    return found[0] if len(found) == 1 else ""


def emit(text: Text, indent: int, needs: list[str] | None = None) -> list[str]:
    pad = "    " * indent
    lines = [*(needs or []), *(pad + line for line in text.lines), f"{pad}out.append({text.expression})"]
    if text.raw:
        lines.append(f'{pad}w.values.append(f"{"".join("{" + value + "}" for value in text.raw)}")')
    return lines
