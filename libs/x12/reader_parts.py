"""What the source of readers is put together from: which record a segment fills, single statements."""

import re
from collections.abc import Container

from libs.x12 import grammar, shapes
from libs.x12.grammar import Element, Node


def target_of(node: Node, owner: type) -> str:
    """The path of the record that a segment fills, or '' for the loop's own.

    Without a word in the specification a segment joins the dictionary's collection, if the owner has one; where
    the specification names fields that the collection's records do not have, those of the owner are meant, and
    the dictionary's do not apply."""
    path = node.target.lstrip("^")
    default = grammar.dictionary()[1][node.id]
    if path or not default:
        return path
    field = shapes.fields(owner).get(default)
    named = {part.field.partition("/")[0].lstrip("^") for part in parts_of(node) if part.explicit and part.field}
    if field and field.record and named <= set(shapes.fields(field.record)):
        return default
    for part in parts_of(node):
        part.field = part.field if part.explicit else ""
    return ""


def parts_of(node: Node) -> list[Element]:
    """Its elements and their components."""
    return [part for element in node.elements for part in (element, *element.components)]


def skipped(element: Element, record: type) -> bool:
    """A constant that the role already says: NM101 and PRV01 of a party with only one possible value."""
    return bool(element.constant) and element.field in ("code", "provider_code") and record.__name__ == "Party"


def renamed(element: Element, name: str) -> Element:
    """The element, filling another field."""
    return Element(
        element.usage, element.number, element.codes, element.list_name, element.repeats, (), "", name, element.default
    )


def common_prefix(node: Node) -> str:
    """The record that all of a segment's fields belong to, such as the address of N3 and N4."""
    heads = {part.field.partition(".")[0] if "." in part.field else "" for part in parts_of(node) if part.field}
    return heads.pop() if len(heads) == 1 else ""


def new_draft(record: type, pad: str, given: Container[str] = ()) -> list[str]:
    """Statements that make a draft, `x`, with the defaults of the fields that are not given a value anyway."""
    names = [name for name in shapes.fields(record) if name not in given]
    lines = [f"x = new({shapes.new_name(record)})", *shapes.blank(record, "x", names)]
    return [pad + line for line in lines]


def given(node: Node, record: type) -> set[str]:
    """Fields of a segment's record that have a value in any case: plain ones of its qualifier and what precedes it."""
    known = shapes.fields(record)
    first = [e for e in node.elements[: least(node) - 1] if not skipped(e, record)]
    return {e.field for e in first if e.field in known and known[e.field].kind == "str" and not known[e.field].many}


def least(node: Node) -> int:
    """The number of elements, the segment's id included, without which it would not have been known as this one."""
    return node.qualifier[0] + 1


def names(text: str, variable: str) -> set[str]:
    """The fields of a variable that statements name."""
    return set(re.findall(rf"\b{variable}\.(\w+)", text))


def append(place: str, value: str, indent: int) -> list[str]:
    """Statements that add a value to a list, or begin it."""
    pad = "    " * indent
    return [f"{pad}if {place}: {place}.append({value})", f"{pad}else: {place} = [{value}]"]


def scalar(field: shapes.Field, place: str, text: str) -> str:
    """The statement that puts a text, converted, into a field."""
    optional = "_N" if field.optional or (field.kind == "decimal" and field.default is None) else ""
    if field.kind == "str":
        return f"{place} = {text}"
    if field.kind == "bool":
        return f"{place} = {text} == '1'"
    if field.kind == "date":
        return f"{place} = DAY[{text}]"
    table = {"cents": "CENTS", "int": "INT", "decimal": "DEC"}[field.kind] + optional
    if field.kind == "decimal" and not optional:
        return f"if {text}: {place} = DEC[{text}]"
    return f"{place} = {table}[{text}]"


def contact() -> list[str]:
    """A PER: function, name, and pairs of a kind of number and the number."""
    return [
        "    n = len(e)",
        "    if n > 1: x.function = e[1]",
        "    if n > 2: x.name = e[2]",
        "    for i in range(3, min(n - 1, 8), 2):",
        "        setattr(x, PER_FIELDS.get(e[i], 'phone'), e[i + 1])",
    ]


PER_FIELDS = {"TE": "phone", "HP": "phone", "WP": "phone", "EX": "extension", "FX": "fax", "EM": "email", "UR": "url"}
