"""What the source of readers is put together from: which record a segment fills, single statements."""

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


def new_name(record: type) -> str:
    """What a compiled reader calls the draft of a record."""
    return f"New_{record.__name__}"


def new_draft(record: type, pad: str) -> list[str]:
    """Statements that make an empty draft, `x`."""
    if not shapes.plain(record):
        return [f"{pad}x = {new_name(record)}()"]
    return [f"{pad}x = new({new_name(record)})", *(pad + line for line in shapes.blank(record, "x"))]


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
