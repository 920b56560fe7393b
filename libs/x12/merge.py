"""Putting segments without a field of their own back among those that were written from fields."""

from typing import TYPE_CHECKING

from libs.x12.grammar import Loop, Node
from libs.x12.machine import Machine, State
from libs.x12.records import Segment

if TYPE_CHECKING:
    from libs.x12.compile_write import WriteCompiler

_MACHINES: dict[str, Machine] = {}


def merge(loop: Loop, extra: tuple[Segment, ...], out: list[str], start: int, compiler: "WriteCompiler") -> None:
    """Insert each extra segment before the first written one that the guide puts after it."""
    mark = compiler.marks.element
    machine = _MACHINES.setdefault(compiler.spec.name, Machine(compiler.spec))
    begin = machine.state(loop.first) if loop.parent else machine.start
    written = _places(machine, begin, loop, [tuple(text.split(mark)) for text in out[start:]])
    own = _places(machine, begin, loop, list(extra))
    for segment, place in reversed(list(zip(extra, own, strict=True))):
        if place is None:
            continue
        at = next((i for i, other in enumerate(written) if other is not None and other > place), len(written))
        out.insert(start + at, mark.join(segment))
        written.insert(at, place)


def _places(machine: Machine, state: State, loop: Loop, segments: list[Segment]) -> list[tuple[int, int] | None]:
    """For each segment the ordinal and position of the loop's child that it belongs to; None when it is another's."""
    found: list[tuple[int, int] | None] = []
    for segment in segments:
        try:
            position, table = state.follow[segment[0]]
            step = table[segment[position]]
        except (KeyError, IndexError):
            found.append(None)
            continue
        place = _child(loop, step.node)
        found.append(place)
        if place is not None:
            state = step.state
    return found


def _child(loop: Loop, node: Node) -> tuple[int, int] | None:
    child: Node | Loop = node
    parent: Loop | None = node.loop
    while parent is not None and parent is not loop:
        if parent.kind in ("item", "level") and child is not parent:
            return None
        child, parent = parent, parent.parent
    if parent is None:
        return None
    if isinstance(child, Loop) and child.kind in ("item", "level"):
        return None
    return child.ordinal, next(i for i, other in enumerate(loop.children) if other is child)
