"""The shapes of the records: what kind of value each field holds, and a mutable draft of each."""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from libs.x12 import records
from libs.x12.records.common import Segment


@dataclass(frozen=True, slots=True)
class Field:
    """A record's field: its kind, whether it may be None, whether it holds many, its record class."""

    name: str
    kind: str
    """str, cents, int, decimal, date, datetime, bool, record, segment, other."""
    optional: bool
    many: bool
    record: type | None
    default: Any


_KINDS = {str: "str", int: "int", Decimal: "decimal", date: "date", datetime: "datetime", bool: "bool"}


def _field(name: str, hint: Any, default: Any) -> Field:
    optional = many = False
    if isinstance(hint, types.UnionType):
        optional = True
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if hint == Segment:
        return Field(name, "str", False, True, None, ())
    if typing.get_origin(hint) is tuple:
        many = True
        hint = typing.get_args(hint)[0]
    record = hint if isinstance(hint, type) and dataclasses.is_dataclass(hint) else None
    if hint == Segment:
        kind = "segment"
    elif record:
        kind = "record"
    else:
        kind = "cents" if hint is int and name.endswith("_cents") else _KINDS.get(hint, "other")
    if default is dataclasses.MISSING:
        default = () if many else {"str": "", "cents": 0, "int": 0, "bool": False}.get(kind)
        default = None if optional else default
    default = () if many else default
    return Field(name, kind, optional, many, record, default)


@cache
def fields(record: type) -> dict[str, Field]:
    """The fields of a record class, by name."""
    hints = typing.get_type_hints(record)
    return {f.name: _field(f.name, hints[f.name], f.default) for f in dataclasses.fields(record)}


@cache
def named(name: str) -> type:
    """The record class of that name."""
    found = getattr(records, name)
    assert isinstance(found, type), name
    return found


def blank(record: type, variable: str, names: Iterable[str] | None = None) -> list[str]:
    """Statements that give every field, or these, its default: those that can be written down at once, others by
    name (`defaults`)."""
    groups: dict[str, list[str]] = {}
    for name in fields(record) if names is None else names:
        value = fields(record)[name].default
        written = value is None or value == () or isinstance(value, str | int)
        groups.setdefault(repr(value) if written else f"{record.__name__}_{name}", []).append(f"{variable}.{name}")
    return [f"{' = '.join(places)} = {value}" for value, places in groups.items()]


def defaults(record: type) -> dict[str, Any]:
    """The defaults of a record's fields by the names that `blank` gives them."""
    return {f"{record.__name__}_{name}": field.default for name, field in fields(record).items()}


def new_name(record: type) -> str:
    """What generated code calls the draft of a record."""
    return f"New_{record.__name__}"


@cache
def draft(record: type) -> type:
    """The record's base, whose instances become the record by changing their class; a new one has every default."""
    space = defaults(record)
    lines = ["    " + line for line in blank(record, "self")]
    exec("def __init__(self):\n" + "\n".join(lines), space)  # noqa: S102 - our own text, from our own fields
    base = record.__bases__[0]
    base.__init__ = space["__init__"]  # type: ignore[misc]
    return base


def finish(record: type, variable: str, filled: Iterable[str], drafts: Iterable[str], *, whole: bool) -> list[str]:
    """Statements that turn what these fields hold into tuples and, where it may be drafts, into records; of a whole
    record also what must not be missing is made."""
    lines = []
    for name, field in fields(record).items():
        place, inner = f"{variable}.{name}", field.record
        if inner in (records.Envelope, records.Source):
            continue
        done = f"if y.__class__ is {new_name(inner)}: done_{inner.__name__}(y)" if inner and name in drafts else ""
        if field.many and name in filled:
            lines.append(f"    if {place}:")
            lines += [f"        for y in {place}:", f"            {done}"] if done else []
            lines.append(f"        {place} = tuple({place})")
        elif inner and not field.many:
            lines += [f"    y = {place}", f"    {done}"] if done else []
            if whole and not field.optional:
                made = f"        {place} = y = {new_name(inner)}()"
                lines += [f"    if {place} is None:", made, f"        done_{inner.__name__}(y)"]
    return [*lines, *([f"    {variable}.__class__ = Record_{record.__name__}"] if whole else [])]


@cache
def finisher(record: type) -> Callable[[Any], None]:
    """A function that turns a draft and all drafts within it into frozen records, in place."""
    space: dict[str, Any] = {f"Record_{record.__name__}": record}
    for field in fields(record).values():
        if field.record:
            space[new_name(field.record)] = draft(field.record)
            space[f"done_{field.record.__name__}"] = finisher(field.record)
    lines = ["def done(o):", *finish(record, "o", fields(record), fields(record), whole=True)]
    exec("\n".join(lines), space)  # noqa: S102 - our own text, from our own fields
    done: Callable[[Any], None] = space["done"]
    return done
