"""A file to be read by people: indented by loop, explained, and the specification as documentation."""

from collections.abc import Iterator
from typing import Any

from libs.x12 import explain, grammar, tested
from libs.x12.explain import explain_segment
from libs.x12.grammar import Element, Loop, Node
from libs.x12.marks import marks_of
from libs.x12.route import route
from libs.x12.rules import Rule, rules_of
from libs.x12.tokens import InputSource, blocks

_BOLD, _DIM, _BLUE, _END = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"


def show(source: InputSource, *, color: bool = False) -> Iterator[str]:
    """Each segment on a line of its own, indented as deep as its loop, with what it says behind it."""
    follow: Any = {}
    version = ""
    inside = False
    for block in blocks(source):
        header = block.header
        for number, text in enumerate(block.segments):
            e = text.split(header.element)
            depth, title, node = 0, "", None
            if e[0] == "GS":
                version = e[8] if len(e) > 8 else ""
            if e[0] == "ST":
                ahead = [item.split(header.element) for item in block.segments[number + 1 : number + 60]]
                name = route(e[1] if len(e) > 1 else "", e[3] if len(e) > 3 and "X" in e[3] else version, ahead)
                inside = name in grammar.names()
                if inside:
                    follow = tested.machine(name, marks_of(header)).start.follow
            elif e[0] == "SE":
                inside, follow = False, {}
            elif inside:
                try:
                    position, table = follow[e[0]]
                    step = table[e[position]]
                except (KeyError, IndexError):
                    title = "?"
                else:
                    follow, node, depth = step.state.follow, step.node, step.node.loop.depth
                    if step.opens:
                        title = f"{step.opens[-1].id} {step.opens[-1].text}".strip()
            if title:
                yield _paint("  " * max(depth, 1) + title, _BLUE, color)
            words = explain_segment(e, node, header.component)
            line = (
                "  " * (depth + 1 if node else 0 if e[0] in ("ISA", "IEA") else 1)
                + _paint(e[0], _BOLD, color)
                + header.element
            )
            line += header.element.join(e[1:]) if len(e) > 1 else ""
            yield line.rstrip(header.element) + (_paint(f"    {words}", _DIM, color) if words else "")


def _paint(text: str, paint: str, color: bool) -> str:
    return f"{paint}{text}{_END}" if color else text


def describe(name: str) -> str:
    """The specification of a set as documentation: loops, segments, elements with usage, codes and fields, and what
    the rules ask of each loop."""
    spec = grammar.spec(name)
    lines = [f"# {spec.name}: {spec.text}", "", f"Guides {', '.join(spec.guides)}; group {spec.group}.", ""]
    lines += _describe(spec.root, 0, rules_of(name))
    return "\n".join(lines) + "\n"


def _describe(loop: Loop, depth: int, rules: dict[str, list[Rule]]) -> list[str]:
    pad = "  " * depth
    lines = [
        f"{pad}- Rule `{rule.code}` (level {rule.level}, {rule.severity}): {rule.text} Source: {rule.source}."
        for rule in rules.get(loop.id, ())
        if rule.advice
    ]
    for child in loop.children:
        often = "any number" if child.repeat >= grammar.UNBOUNDED else f"at most {child.repeat}"
        must = "required" if child.usage == "R" else "situational"
        if isinstance(child, Loop):
            lines.append(f"{pad}- **Loop {child.id}** {child.text} ({must}, {often})")
            lines += _describe(child, depth + 1, rules)
        else:
            lines.append(f"{pad}- `{child.id}` {_title(child)} ({must}, {often})")
            for position, element in enumerate(child.elements, 1):
                text = _element(element, f"{child.id}{position:02d}")
                lines += [f"{pad}  - {line}" for line in text]
    return lines


def _title(node: Node) -> str:
    codes = node.qualifier[1]
    text = node.text or (explain.meaning(node.id, codes[0]) if len(codes) == 1 else "") or explain.meaning(node.id)
    return " ".join(part for part in ("/".join(codes[:6]), text) if part)


def _element(element: Element, place: str) -> list[str]:
    if element.usage == "N":
        return []
    must = "required" if element.usage == "R" else "situational"
    kind = grammar.data_elements().get(element.number)
    form = f", {kind[0]} {kind[1]} to {kind[2]}" if kind else ""
    codes = f", one of {', '.join(element.codes)}" if element.codes else ""
    codes += f", list {element.list_name}" if element.list_name else ""
    field = f" → `{element.field}`" if element.field else ""
    lines = [f"{place} {must}{form}{codes}{field}"]
    for part, component in enumerate(element.components, 1):
        lines += [f"  {line}" for line in _element(component, f"{place}-{part}")]
    return lines
