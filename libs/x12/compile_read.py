"""Readers compiled from a specification: one small function for each segment, one opener for each loop."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from libs.x12 import convert, grammar, records, shapes
from libs.x12.compile_item import ItemCompiler, Whole, irregular
from libs.x12.grammar import Loop, Node
from libs.x12.machine import Machine
from libs.x12.open_loops import opener
from libs.x12.reader_parts import PER_FIELDS
from libs.x12.reader_source import Compiler

Reader = Callable[[list[str], Any, Any], None]
Opener = Callable[[list[Any]], Any]
Maker = Callable[[list[str]], Any]
Joiner = Callable[[Any, Any], None]


def strict() -> dict[str, Any]:
    """Conversions that raise ValueError on what they cannot read."""
    return {
        "CENTS": convert.Remembered(convert.cents, {"": 0}),
        "CENTS_N": convert.Remembered(convert.cents, {"": None}),
        "INT": convert.Remembered(convert.number, {"": 0}),
        "INT_N": convert.Remembered(convert.number, {"": None}),
        "DEC": convert.Remembered(convert.decimal, {"": Decimal(0)}),
        "DEC_N": convert.Remembered(convert.decimal, {"": None}),
        "DAY": convert.Remembered(convert.day, {"": None}),
        "SPAN": convert.Remembered(convert.span, {"": (None, None)}),
        "STAMP": convert.Remembered(convert.stamp),
    }


_STRICT = strict()


@dataclass(slots=True)
class Tolerant:
    """Conversions that note what they cannot read and leave the field empty."""

    defects: list[str] = field(default_factory=list)

    def names(self) -> dict[str, Any]:
        """The same names as the strict ones."""
        empty = {"CENTS": 0, "INT": 0, "DEC": Decimal(0), "SPAN": (None, None)}

        def wrap(name: str, table: Any) -> Any:
            return convert.Remembered(lambda text: self._try(table, text, empty.get(name)))

        return {name: wrap(name, table) for name, table in _STRICT.items()}

    def _try(self, table: Any, text: Any, empty: Any) -> Any:
        try:
            return table[text]
        except ValueError:
            self.defects.append("".join(text)[:40])
            return empty


@dataclass(slots=True)
class Readers:
    """The compiled readers of one set: by node, strict and tolerant, and the openers of its loops."""

    strict: dict[int, Reader | None]
    source: dict[int, str]
    openers: dict[int, Opener]
    compiler: Compiler
    makers: dict[int, tuple[Maker, Joiner]]
    """Nodes whose segment becomes small records of its own: how they are made, and how they join the loop's record."""
    wholes: dict[int, Whole] = field(default_factory=dict)
    """What reads all of a level or item at once, by its loop."""
    item: Any = None
    """The record of an item, its draft, and what makes the one of the other."""
    draft: Any = None
    finish: Any = None

    def __post_init__(self) -> None:
        self.item = self.compiler.item
        if self.item is not None:
            self.draft, self.finish = shapes.draft(self.item), shapes.finisher(self.item)

    def attach(self, step: Any) -> None:
        """Give a step of the machine what it does to the records."""
        known = self.strict.get(id(step.node)) if step.quality in ("", "order", "place") else None
        step.read = known or keep_segment
        step.depth = step.node.loop.depth
        step.make, step.join = (
            self.makers.get(id(step.node), (None, None)) if known and not step.moves else (None, None)
        )
        step.openers = tuple(
            (loop.depth, (loop.kind == "item") + loop.leaf, loop.kind in ("item", "level"), self.openers[id(loop)])
            for loop in step.opens
        )
        last = step.opens[-1] if step.opens else None
        step.waits = last is not None and (last.kind == "level" or (last.kind == "item" and not last.hierarchical))
        step.now = step.openers[:-1] if step.waits else step.openers

    def whole(self, step: Any, named: dict[str, list[Node]]) -> Whole:
        """What reads all of the level or item that the step opens."""
        loop = step.opens[-1]
        if step.quality or step.node is not loop.first:
            return irregular
        if id(loop) not in self.wholes:
            self.wholes[id(loop)] = ItemCompiler(self.compiler, named, namespace(_STRICT)).whole(loop)
        return self.wholes[id(loop)]

    def tolerant(self, step: Any, defects: list[str]) -> Reader:
        """The step's reader once more, noting what it cannot convert instead of raising."""
        source = self.source.get(id(step.node))
        if source is None or step.quality == "code":
            return keep_segment
        space = namespace(Tolerant(defects).names())
        exec(source, space)  # noqa: S102 - our own text, from our own specification
        reader: Reader = space["read"]

        def again(e: list[str], o: Any, t: Any) -> None:
            _take_back(reader, e, o)
            reader(e, o, t)

        return again


def _take_back(reader: Reader, e: list[str], o: Any) -> None:
    """Undo what the strict reader had added to the record's lists before it failed."""
    blank = type(o)()
    reader(e, blank, type(o)())
    for name in type(o).__slots__:
        added, present = getattr(blank, name), getattr(o, name)
        if added.__class__ is list and present.__class__ is list:
            for length in range(min(len(added), len(present)), 0, -1):
                if present[-length:] == added[:length]:
                    del present[-length:]
                    break


def keep_segment(e: list[str], o: Any, t: Any) -> None:
    """A segment without a field of its own joins the record's extra ones."""
    holder = o if hasattr(o, "extra") else t
    if holder is not None and hasattr(holder, "extra") and e[0] not in ("HL", "LX", "LS", "LE"):
        if holder.extra:
            holder.extra.append(tuple(e))
        else:
            holder.extra = [tuple(e)]


@lru_cache(maxsize=32)
def machine(name: str, component: str, repetition: str) -> Machine:
    """The machine of a set, with its readers for one pair of delimiters."""
    spec = grammar.spec(name)
    found = Readers({}, {}, {}, Compiler(spec, component, repetition), {})
    _compile_loop(spec.root, found, namespace(_STRICT))
    return Machine(spec, found)


def namespace(conversions: dict[str, Any]) -> dict[str, Any]:
    """What a compiled reader may name."""
    space = dict(conversions)
    space["PER_FIELDS"], space["new"] = PER_FIELDS, object.__new__
    for name in records.__all__:
        record = getattr(records, name)
        if isinstance(record, type) and hasattr(record, "__dataclass_fields__"):
            space |= shapes.defaults(record)
            space[shapes.new_name(record)] = shapes.draft(record)
            space[f"done_{name}"], space[f"Record_{name}"] = shapes.finisher(record), record
    return space


def _maker(body: str, path: str, owner: type, space: dict[str, Any]) -> tuple[Maker, Joiner]:
    """A function that makes the records of a collected segment, or None where its reader has something to say, and
    one that gives them to the loop's record."""
    join = f"    if o.{path}: o.{path} += made\n    elif made: o.{path} = made[:]"
    if not shapes.fields(owner)[path].many:
        join = f"    o.{path} = made"
    tried = "\n".join("    " + line for line in body.splitlines())
    make = f"def make(e):\n    try:\n{tried}\n    except (ValueError, AttributeError, IndexError): return None\n"
    exec(f"{make}def join(o, made):\n{join}\n", space)  # noqa: S102 - our own text, from our own specification
    return space["make"], space["join"]


def _compile_loop(loop: Loop, found: Readers, space: dict[str, Any]) -> None:
    for child in loop.children:
        if isinstance(child, Loop):
            found.openers[id(child)] = opener(child, found.compiler)
            _compile_loop(child, found, space)
        else:
            body = found.compiler.reader(child)
            if body is None:
                found.strict[id(child)] = None
                continue
            source = f"def read(e, o, t):\n{body}\n"
            name = found.compiler.collected(child)
            owner = found.compiler.owner(loop)
            if name and owner:
                found.makers[id(child)] = _maker(found.compiler.maker(child, name), name, owner, space)
            found.source[id(child)] = source
            exec(source, space)  # noqa: S102 - our own text, from our own specification
            found.strict[id(child)] = space["read"]
