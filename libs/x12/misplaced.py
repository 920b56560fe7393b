"""Segments that stand where the guide has none: the loop that each is taken to belong to, or that it is passed over."""

from typing import Any

from libs.x12.grammar import Loop
from libs.x12.machine import Machine
from libs.x12.parts import Part, Seg
from libs.x12.report import Reporter


def placed(step: Any, seg: Seg, parts: list[Part], machine: Machine, report: Reporter, following: str) -> Any:
    """The step by which a segment out of place is taken in, once it is reported; None to pass it over.

    `following` is the id of the segment after it."""
    step = _headless(step, seg, parts, machine) or step
    return None if _misfit(step, (seg[0], step.node, seg[2], seg[3]), parts, report, following) else step


def _headless(step: Any, seg: Seg, parts: list[Part], machine: Machine) -> Any:
    """The step into a loop whose first segment is missing, where a segment would otherwise be one too many of the
    loop that it is counted with: into the next required loop, or into another turn of the same."""
    if step.quality != "order" or step.opens:
        return None
    part = parts[step.keep]
    parent = part.loop.parent
    if parent is None or part.count(step.key) < step.node.repeat:
        return None
    siblings = parent.children
    place = next(i for i, child in enumerate(siblings) if child is part.loop)
    for loop in siblings[place + 1 :] if part is parts[-1] else ():
        if isinstance(loop, Loop) and loop.usage == "R" and not parts[-2].count(id(loop)):
            node = next((node for node in loop.nodes()[1:] if node.id == seg[0][0]), None)
            return machine.into(loop, node) if node is not None and not node.qualifier[0] else None
    again = part.loop.repeat > 1 and step.node.usage == "R"
    return machine.into(part.loop, step.node) if again else None


def _misfit(step: Any, seg: Seg, parts: list[Part], report: Reporter, following: str) -> bool:
    """Report a segment that does not stand where it should; True when it is to be passed over."""
    part = parts[-1]
    if step.quality == "order":
        leaves = any(other.loop.leaf for other in parts[step.keep + 1 :])
        code = "SEGMENT_UNEXPECTED" if leaves else "SEGMENT_ORDER"
        report.structure(code, seg, part.loop.id if leaves else step.node.loop.id)
        return leaves
    if step.quality == "code":
        return False
    first = step.opens[0] if step.opens else None
    parent = parts[step.keep] if step.keep < len(parts) else part
    stranded = first is not None and first.hierarchical and any(p.loop.leaf for p in parts)
    if first is None or stranded or parent.count(id(first)) >= first.repeat or first.first is step.node:
        report.structure("SEGMENT_UNEXPECTED", seg, part.loop.id)
        return True
    if first.first.id == following:
        report.structure("SEGMENT_ORDER", seg, first.id)
        return True
    return False
