"""The specification language: one text file per transaction set becomes loops, segments and elements."""

import re
from functools import cache

from libs.x12.dictionary import SPECS, data_elements, dictionary
from libs.x12.structure import QUALIFIED, UNBOUNDED, Element, Loop, Node, Spec


def _tokens(text: str) -> list[str]:
    """Split at spaces outside parentheses."""
    found, depth, word = [], 0, ""
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == " " and not depth:
            found += [word] if word else []
            word = ""
        else:
            word += character
    return found + ([word] if word else [])


_HEAD = re.compile(r"([!?])(?:\^(\d+))?")


def _element(token: str, number: str, name: str) -> Element:
    """One token: usage, repetition, codes or list, field, default; or a composite in parentheses."""
    if token == "-":  # noqa: S105 - a mark of the language, no secret
        return Element("N", number)
    head = _HEAD.match(token)
    assert head, f"element token {token!r}"
    usage = "R" if head[1] == "!" else "S"
    repeats = int(head[2] or 1)
    body = token[head.end() :]
    if body.startswith("("):
        inner, _, own = body[1:].rpartition(")")
        parts = dictionary()[0][number]
        components = tuple(
            _element(item, *parts[min(position, len(parts) - 1)]) for position, item in enumerate(_tokens(inner))
        )
        return Element(
            usage,
            number,
            repeats=repeats,
            components=components,
            composite=number,
            field=own.lstrip(":"),
            explicit=bool(own),
        )
    if number in dictionary()[0]:
        components = tuple(Element("S", part, field=name_) for part, name_ in dictionary()[0][number])
        return Element(usage, number, repeats=repeats, components=components, composite=number)
    codes, _, rest = body.partition(":")
    own, _, default = rest.partition("=")
    list_name = next((code[1:] for code in codes.split(",") if code.startswith("@")), "")
    return Element(
        usage,
        number,
        codes=tuple(code for code in codes.split(",") if code and not code.startswith("@")),
        list_name=list_name,
        repeats=repeats,
        field="" if own == "_" else own or name,
        default=default,
        explicit=bool(own),
    )


def _elements(segment: str, tokens: list[str]) -> tuple[Element, ...]:
    """The elements of a segment line; ``[…]6`` repeats a group six times, only the first time in full;
    ``?(…)*11`` stands for eleven such elements."""
    parts = dictionary()[0][segment]
    found: list[Element] = []
    for token in tokens:
        if token.startswith("["):
            inner, _, times = token[1:].rpartition("]")
            group = _tokens(inner)
            for turn in range(int(times)):
                for place, item in enumerate(group):
                    element = _element(item, *parts[len(found)])
                    element.usage = element.usage if turn == 0 else "S"
                    element.group = (place, len(group))
                    found.append(element)
        else:
            body, _, times = token.rpartition("*")
            for _turn in range(int(times) if body else 1):
                found.append(_element(body or token, *parts[len(found)]))
    return tuple(found)


_USAGE = re.compile(r"([RSN])(\d+|>)")


def _usage(text: str) -> tuple[str, int]:
    match = _USAGE.fullmatch(text)
    assert match, f"usage {text!r}"
    return match[1], UNBOUNDED if match[2] == ">" else int(match[2])


def _node(line: str) -> Node:
    body, _, text = line.partition(" | ")
    body, _, raw = body.partition(" => ")
    body, _, target = body.partition(" -> ")
    name, usage, *tokens = _tokens(body)
    mapped = "//" not in tokens
    if not mapped:
        tokens.remove("//")
    when = next((token for token in tokens if token.startswith("when:")), "")
    if when:
        tokens.remove(when)
    kind, repeat = _usage(usage)
    elements = _elements(name, tokens)
    return Node(
        name,
        kind,
        repeat,
        elements,
        tuple(dictionary()[2][name]),
        target.strip(),
        raw.strip(),
        text.strip(),
        mapped=mapped,
        when=when.removeprefix("when:"),
    )


def _loop(line: str) -> Loop:
    body, _, text = line.partition(" | ")
    body, _, target = body.partition(" -> ")
    _, name, usage, *flags = body.split()
    kind, repeat = _usage(usage)
    loop = Loop(name, kind, repeat, text.strip(), target=target.strip(), hierarchical="HL" in flags)
    loop.kind = "->" if target else next((flag for flag in flags if flag in ("level", "item", ".")), "")
    loop.leaf = "leaf" in flags or (loop.kind == "item" and not loop.hierarchical)
    if loop.hierarchical and not loop.kind:
        loop.kind = "."
    return loop


def parse(text: str) -> Spec:
    """The specification that the text states."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    head, _, title = lines[0].partition(" | ")
    _, name, *guides = head.split()
    spec = Spec(name, tuple(guides), title, st=name)
    spec.root = Loop("", "R", 1, kind=".")
    stack: list[tuple[int, Loop]] = [(-1, spec.root)]
    templates: dict[str, Loop] = {}
    for line in lines[1:]:
        indent = len(line) - len(line.lstrip())
        body = line.strip()
        word = body.split()[0]
        if word in ("group", "st"):
            setattr(spec, word, body.split()[1])
        elif word == "record":
            spec.record, spec.items = (*body.split()[1:], "")[:2]
        elif word == "no-st03":
            spec.st03 = False
        else:
            while stack[-1][0] >= indent:
                stack.pop()
            _place(body, indent, stack, templates)
    _number(spec.root)
    return spec


def _place(body: str, indent: int, stack: list[tuple[int, Loop]], templates: dict[str, Loop]) -> None:
    """Hang a line under the loop that its indentation names."""
    parent = stack[-1][1]
    if body.startswith("use "):
        parent.children.append(_copy(templates[body.split()[1]], parent))
    elif body.startswith("loop "):
        loop = _loop(body)
        loop.parent = parent
        parent.children.append(loop)
        templates[loop.id] = loop
        stack.append((indent, loop))
    else:
        node = _node(body)
        node.loop = parent
        parent.children.append(node)


def _copy(loop: Loop, parent: Loop) -> Loop:
    """The same loop again under another parent."""
    twin = Loop(loop.id, loop.usage, loop.repeat, loop.text, loop.kind, loop.target, loop.hierarchical, parent)
    twin.leaf = loop.leaf
    for child in loop.children:
        if isinstance(child, Loop):
            twin.children.append(_copy(child, twin))
        else:
            twin.children.append(
                Node(
                    child.id,
                    child.usage,
                    child.repeat,
                    child.elements,
                    child.conditions,
                    child.target,
                    child.raw,
                    child.text,
                    0,
                    twin,
                    child.mapped,
                    child.when,
                )
            )
    return twin


def _number(loop: Loop) -> None:
    """Give neighbours that open with the same segment one place in the order, as the standard does."""
    ordinal, previous = 0, ""
    opening = loop.children[0]
    assert isinstance(opening, Node), f"loop {loop.id} opens with a segment"
    loop.first, loop.numbered, loop.inner = opening, opening.id == "HL", tuple(loop.loops())
    loop.required = tuple((id(child), child) for child in loop.children if child.usage == "R")
    loop.kept = loop.kind not in ("item", "level") and not loop.hierarchical
    for child in loop.children:
        if isinstance(child, Loop):
            child.depth = loop.depth + 1
            _number(child)
        head = child.id if isinstance(child, Node) else child.first.id
        ordinal += head != previous or head == "HL"
        previous = head
        child.ordinal = ordinal


@cache
def spec(name: str) -> Spec:
    """The specification of a set by its own name, such as ``837P``."""
    return parse((SPECS / f"{name}.txt").read_text())


__all__ = [
    "QUALIFIED", "UNBOUNDED", "Element", "Loop", "Node", "Spec", "data_elements", "dictionary", "names", "parse",
    "spec",
]  # fmt: skip


@cache
def names() -> frozenset[str]:
    """The sets that have a specification."""
    return frozenset(path.stem for path in SPECS.glob("*.txt")) - {"dictionary", "elements"}
