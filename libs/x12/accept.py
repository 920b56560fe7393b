"""Well-formed segments, known in one call: a test compiled from the specification that only ever says yes for sure.

A segment that it does not accept is looked at by the tests of `elements`, one by one, which say what is wrong."""

import re
from collections.abc import Callable
from typing import Any

from libs.x12 import grammar, rules
from libs.x12.elements import SegmentTest, formatted_date
from libs.x12.grammar import Element, Node

#: Values of one element that are remembered.
_MOST_REMEMBERED = 1000

Fine = Callable[[list[str], str], bool]


class Look(dict[int, Fine]):
    """How a segment where the guide has it is looked at: at a glance, by a test for its number of elements, and only
    if that fails element by element."""

    __slots__ = ("marks", "node", "rules", "test")

    def __init__(self, node: Node, test: SegmentTest, marks: tuple[str, str, str]) -> None:
        self.node = node
        self.test = test
        self.marks = marks
        self.rules = [entry for entry in rules.segment_rules().get(node.id, ()) if entry.concerns(node)]

    def __missing__(self, length: int) -> Fine:
        fine = acceptor(self.node, self.test, length, self.marks) or _never
        if length <= len(self.test.tests):
            self[length] = fine
        return fine


def _never(e: list[str], text: str) -> bool:
    """No segment of that length is right."""
    return False


def acceptor(node: Node, test: SegmentTest, length: int, marks: tuple[str, str, str]) -> Fine | None:
    """A function of a segment's elements and its text: True if nothing is wrong with any element of it.

    It is for segments of that many elements, the id included; None where such a segment is never right. `marks` are
    the element separator, the component separator and the repetition separator; the last two may be empty."""
    if not test.needed < length <= len(test.tests) or length < 2:
        return None
    space: dict[str, Any] = {"formatted_date": formatted_date}
    names = [f"e{place}" for place in range(length)]
    # what one look at the whole text can exclude needs no look at each element: blanks at an end, other separators
    separator, component, repetition = marks
    repeats = any(element.repeats > 1 for element in node.elements)
    composites = any(element.components for element in node.elements)
    outright = [component] * (not composites) + [repetition] * (not repeats)
    within = [component] * composites + [repetition] * repeats
    no_blanks = " and ".join(f"{blanks!r} not in text" for blanks in (separator + " ", " " + separator))
    terms = ["text.isprintable()", names[-1], f"(' ' not in text or (text[-1] != ' ' and {no_blanks}))"]
    terms += [f"{mark!r} not in text" for mark in outright if mark]
    for place, element in enumerate(node.elements[: length - 1], 1):
        terms.append(_term(element, place, test, space, [mark for mark in within if mark]))
    terms += [term for kind, places in test.conditions if (term := _condition(kind, places, length))]
    terms += [f"(not e{pair + 1} or formatted_date(e{pair}, e{pair + 1}))" for pair in test.pairs if length > pair + 1]
    lines = ["def fine(e, text):", f"    {', '.join(names)}, = e", f"    return {' and '.join(filter(None, terms))}"]
    exec("\n".join(lines), space)  # noqa: S102 - our own text, from our own specification
    fine: Fine = space["fine"]
    return fine


def _term(element: Element, place: int, test: SegmentTest, space: dict[str, Any], within: list[str]) -> str:
    """What must hold of one element, on the strength of what holds of the whole text, which may have the separators
    `within`."""
    name, number = f"e{place}", ""
    if element.usage == "N":
        return f"not {name}"
    if not (element.components or element.codes or element.list_name or element.repeats > 1):
        kind, low, high = grammar.data_elements()[element.number]
        if kind not in ("N0", "R", "DT", "TM"):
            empty = f"not {name} or " if element.usage != "R" else ""
            once = "".join(f" and {mark!r} not in {name}" for mark in within)
            return f"({empty}{low} <= len({name}) <= {high}{once})"
        if kind in ("N0", "R") and not any(mark in "-.0123456789" for mark in within):
            plain = rf"-?[0-9]{{1,{high}}}" if kind == "N0" else rf"-?[0-9]{{1,{max(high - 2, 1)}}}(\.[0-9]{{1,2}})?"
            space[f"n{place}"] = re.compile(plain).fullmatch
            number = f"n{place}({name}) or "
    known = test.known[place]
    space[f"k{place}"], space[f"t{place}"] = known, _remembering(known, test.tests[place])
    return f"({number}{name} in k{place} or t{place}({name}))"


def _remembering(known: set[str], check: Any) -> Callable[[str], bool]:
    """The element's own test, whose good values are remembered."""

    def right(text: str) -> bool:
        if check(text):
            return False
        if len(known) < _MOST_REMEMBERED:
            known.add(text)
        return True

    return right


def _condition(kind: str, places: tuple[int, ...], length: int) -> str:
    """The condition between elements of a segment of that length."""
    names = [f"e{place}" if place < length else "''" for place in places]
    if kind == "P":
        return "(" + " == ".join(f"(not {name})" for name in names) + ")"
    if kind == "R":
        return "(" + " or ".join(names) + ")"
    if kind == "E":
        return "(" + " + ".join(f"(not {name})" for name in names) + f" > {len(names) - 2})"
    if kind == "C":
        return f"(not {names[0]} or ({' and '.join(names[1:])}))"
    return f"(not {names[0]} or {' or '.join(names[1:])})"
