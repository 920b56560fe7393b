"""The shapes of the records: what kind of value each field holds, and a mutable draft of each."""

import dataclasses
import types
import typing
from collections.abc import Callable
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


def blank(record: type, variable: str) -> list[str]:
    """Statements that give every field its default: literal ones at once, others from ``default_`` and their name."""
    groups: dict[str, list[str]] = {}
    for name, field in fields(record).items():
        literal = field.default is None or (field.default in ("", 0, ()) and not isinstance(field.default, Decimal))
        groups.setdefault(repr(field.default) if literal else f"default_{name}", []).append(f"{variable}.{name}")
    return [f"{' = '.join(names)} = {value}" for value, names in groups.items()]


@cache
def plain(record: type) -> bool:
    """It holds nothing but values that are what they are, and whose defaults can be written down."""
    simple = all(not f.many and f.kind != "record" for f in fields(record).values())
    return simple and not any("default_" in line for line in blank(record, ""))


@cache
def draft(record: type) -> type:
    """The record's base, whose instances become the record by changing their class; a new one has every default."""
    space: dict[str, Any] = {f"default_{name}": f.default for name, f in fields(record).items()}
    lines = ["    " + line for line in blank(record, "self")]
    exec("def __init__(self):\n" + "\n".join(lines), space)  # noqa: S102 - our own text, from our own fields
    base = record.__bases__[0]
    base.__init__ = space["__init__"]  # type: ignore[misc]
    return base


@cache
def finisher(record: type) -> Callable[[Any], None]:
    """A function that turns a draft and all drafts within it into frozen records, in place."""
    lines = ["def finish(o):"]
    space: dict[str, Any] = {"Record": record}
    for name, field in fields(record).items():
        if field.record is None or not (field.many or field.kind == "record"):
            if field.many:
                lines += [f"    if o.{name}: o.{name} = tuple(o.{name})"]
            continue
        if field.record in (records.Envelope, records.Source):
            continue
        space[f"D_{name}"], space[f"f_{name}"] = draft(field.record), _later(field.record)
        if field.many:
            lines += [
                f"    if o.{name}:",
                f"        for x in o.{name}:",
                f"            if x.__class__ is D_{name}: f_{name}(x)",
                f"        o.{name} = tuple(o.{name})",
            ]
        else:
            lines += [f"    x = o.{name}", f"    if x.__class__ is D_{name}: f_{name}(x)"]
            if not field.optional:
                lines += [
                    "    elif x is None:",
                    f"        o.{name} = x = D_{name}()",
                    f"        f_{name}(x)",
                ]
    lines.append("    o.__class__ = Record")
    exec("\n".join(lines), space)  # noqa: S102 - our own text, from our own fields
    done = space["finish"]
    assert callable(done)
    return done  # type: ignore[no-any-return]


def _later(record: type) -> Callable[[Any], None]:
    return finisher(record)
