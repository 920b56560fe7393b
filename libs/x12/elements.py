"""Whether an element's text is what the dictionary and the guide ask for."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from libs.x12 import grammar
from libs.x12.codes import code_list
from libs.x12.grammar import Element

#: (finding code, X12 error code, component, repetition, value)
Problem = tuple[str, str, int | None, int | None, str]
Test = Callable[[str], Problem | None]

_WHOLE = re.compile(r"-?\d+")
_REAL = re.compile(r"-?(\d+(\.\d+)?|\.\d+)")
#: Data elements of free words, which may begin with a blank.
_WORDS = frozenset(["352", "449", "933"])


def _problem(code: str, x12: str, value: str) -> Problem:
    return code, x12, None, None, value[:80]


@lru_cache(maxsize=4096)
def is_date(text: str) -> bool:
    """A real day, in six or eight digits."""
    if not text.isdigit() or not text.isascii() or len(text) not in (6, 8):
        return False
    year, rest = (text[:4], text[4:]) if len(text) == 8 else ("20" + text[:2], text[2:])
    try:
        date(int(year), int(rest[:2]), int(rest[2:]))
    except ValueError:
        return False
    return int(year) >= 1800


def is_time(text: str) -> bool:
    """HHMM, HHMMSS or with hundredths."""
    if not text.isdigit() or not text.isascii() or len(text) not in (4, 6, 7, 8):
        return False
    return int(text[:2]) < 24 and int(text[2:4]) < 60 and (len(text) < 6 or int(text[4:6]) < 60)


@lru_cache(maxsize=4096)
def formatted_date(form: str, text: str) -> bool:
    """A date in the form that its qualifier names."""
    if form == "D8":
        return len(text) == 8 and is_date(text)
    if form == "RD8":
        first, hyphen, last = text.partition("-")
        return (
            bool(hyphen) and len(first) == 8 and len(last) == 8 and is_date(first) and is_date(last) and first <= last
        )
    if form == "TM":
        return is_time(text)
    if form == "DT":
        return len(text) == 12 and is_date(text[:8]) and is_time(text[8:])
    return True


def simple(element: Element, *, required: bool) -> Test:  # noqa: C901 - one small test for each type
    """The test of one simple element or component."""
    kind, low, high = grammar.data_elements()[element.number]
    codes = frozenset(element.codes) | (code_list(element.list_name).codes if element.list_name else frozenset())
    missing: Problem = ("ELEMENT_MISSING", "1", None, None, "")

    def length(text: str) -> Problem | None:
        if len(text) > high:
            return _problem("ELEMENT_TOO_LONG", "5", text)
        if len(text) < low:
            return _problem("ELEMENT_TOO_SHORT", "4", text)
        return None

    def text_test(text: str) -> Problem | None:
        if not text:
            return missing if required else None
        if not low <= len(text) <= high:
            return length(text)
        if text[-1] == " " or (text[0] == " " and element.number not in _WORDS):
            return _problem("ELEMENT_CHARACTER" if text.isspace() else "ELEMENT_BLANKS", "6", text)
        return None

    def code_test(text: str) -> Problem | None:
        if text in codes:
            return None
        if not text:
            return missing if required else None
        if len(text) > high and kind != "ID":
            return length(text)
        return _problem("ELEMENT_CODE", "7", text)

    def number_test(text: str) -> Problem | None:
        if not text:
            return missing if required else None
        if not (_WHOLE if kind == "N0" else _REAL).fullmatch(text) or not text.isascii():
            return _problem("ELEMENT_CHARACTER", "6", text)
        digits = len(text) - text.count("-") - text.count(".")
        if digits > high:
            return _problem("ELEMENT_TOO_LONG", "5", text)
        if element.number == "782" and len(text.partition(".")[2].rstrip("0")) > 2:
            return _problem("AMOUNT_DECIMALS", "6", text)
        return None

    def day_test(text: str) -> Problem | None:
        if not text:
            return missing if required else None
        if not low <= len(text) <= high:
            return length(text)
        return None if is_date(text) else _problem("ELEMENT_DATE", "8", text)

    def time_test(text: str) -> Problem | None:
        if not text:
            return missing if required else None
        return None if is_time(text) else _problem("ELEMENT_TIME", "9", text)

    if codes:
        return code_test
    return {"N0": number_test, "R": number_test, "DT": day_test, "TM": time_test}.get(kind, text_test)


def not_used(text: str) -> Problem | None:
    """The guide forbids the element."""
    return _problem("ELEMENT_NOT_USED", "I10", text) if text else None


def composite(element: Element, mark: str) -> Test:
    """The test of a composite, component by component."""
    tests = [not_used if part.usage == "N" else simple(part, required=part.usage == "R") for part in element.components]
    room = len(grammar.dictionary()[0][element.composite])
    pair = next((i for i, part in enumerate(element.components[:-1]) if part.number == "1250"), None)
    required = element.usage == "R"

    def test(text: str) -> Problem | None:
        if not text:
            return ("ELEMENT_MISSING", "1", None, None, "") if required else None
        parts = text.split(mark) if mark else [text]
        if len(parts) > len(tests):
            extra = next((i for i in range(len(tests), len(parts)) if parts[i]), None)
            if extra is not None:
                if extra >= room:
                    return ("COMPONENTS_TOO_MANY", "13", extra + 1, None, parts[extra][:80])
                return ("ELEMENT_NOT_USED", "I10", extra + 1, None, parts[extra][:80])
        for place, part_test in enumerate(tests):
            problem = part_test(parts[place] if place < len(parts) else "")
            if problem:
                return problem[0], problem[1], place + 1, None, problem[4]
        if pair is not None and len(parts) > pair + 1 and not formatted_date(parts[pair], parts[pair + 1]):
            return "ELEMENT_DATE", "8", pair + 2, None, parts[pair + 1][:80]
        return None

    return test


def repeated(element: Element, inner: Test, mark: str) -> Test:
    """The test of an element that may repeat."""

    def test(text: str) -> Problem | None:
        if not text or not mark or mark not in text:
            return inner(text)
        parts = text.split(mark)
        if len(parts) > element.repeats:
            return "REPETITIONS_TOO_MANY", "12", None, element.repeats + 1, ""
        for place, part in enumerate(parts):
            problem = inner(part) if part else ("ELEMENT_MISSING", "1", None, None, "")
            if problem:
                return problem[0], problem[1], problem[2], place + 1, problem[4]
        return None

    return test


def undivided(inner: Test, component: str, repetition: str) -> Test:
    """The test of an element that may neither repeat nor have components: a separator within it is a finding."""

    def test(text: str) -> Problem | None:
        if repetition and repetition in text:
            return "REPETITIONS_TOO_MANY", "12", None, 2, text[:80]
        if component and component in text:
            return "COMPONENTS_TOO_MANY", "13", 2, None, text[:80]
        return inner(text)

    return test


@dataclass(slots=True)
class SegmentTest:
    """The tests of a segment's elements, with a memory of the texts that passed."""

    tests: list[Test]
    known: list[set[str]]
    needed: int
    """Elements up to the last required one."""
    room: int
    """Elements that the dictionary has for the segment."""
    conditions: tuple[tuple[str, tuple[int, ...]], ...]
    pairs: tuple[int, ...]
    """Positions of date qualifiers whose dates follow."""


def segment_test(node: grammar.Node, component: str, repetition: str) -> SegmentTest:
    """The tests of a segment where the guide has it."""
    tests: list[Test] = [lambda text: None]
    known: list[set[str]] = [{node.id}]
    needed = 0
    for position, element in enumerate(node.elements, 1):
        if element.usage == "N":
            test: Test = not_used
        elif element.components:
            test = composite(element, component)
        else:
            test = simple(element, required=element.usage == "R")
        if element.usage != "N":
            if element.repeats > 1:
                test = repeated(element, test, repetition)
            else:
                test = undivided(test, "" if element.components else component, repetition)
        tests.append(test)
        known.append({""} if element.usage != "R" else set())
        needed = position if element.usage == "R" else needed
    pairs = tuple(
        i
        for i, element in enumerate(node.elements, 1)
        if element.number == "1250" and i < len(node.elements) and node.elements[i].number == "1251"
    )
    room = len(grammar.dictionary()[0][node.id])
    return SegmentTest(tests, known, needed, room, live_conditions(node), pairs)


def problems(test: SegmentTest, e: list[str]) -> Iterator[tuple[int, Problem]]:
    """What is wrong with a segment's elements, alone and together, each with its position; one that is minus the last
    element that is filled says that separators follow it."""
    if test.needed < len(e) <= len(test.tests):
        for place, text in enumerate(e):
            problem = None if text in test.known[place] else test.tests[place](text)
            if problem:
                yield place, problem
    else:
        yield from _ragged(test, e)
    if not e[-1] and len(e) - 1 > test.needed:
        yield -next(place for place in range(len(e) - 1, 0, -1) if e[place - 1]), ("", "", None, None, "")
    for kind, places in test.conditions:
        place_broken = broken(kind, places, e)
        if place_broken:
            code = ("ELEMENT_EXCLUSION", "10") if kind == "E" else ("ELEMENT_CONDITION", "2")
            yield place_broken, (*code, None, None, "")
    for pair in test.pairs:
        if len(e) > pair + 1 and e[pair + 1] and not formatted_date(e[pair], e[pair + 1]):
            yield pair + 1, _problem("ELEMENT_DATE", "8", e[pair + 1])


def _ragged(test: SegmentTest, e: list[str]) -> Iterator[tuple[int, Problem]]:
    """What is wrong with a segment that has fewer elements than it must have, or more than the guide uses."""
    for place, check in enumerate(test.tests):
        if place:
            problem = check(e[place] if place < len(e) else "")
            if problem:
                yield place, problem
    extra = next((i for i in range(len(test.tests), len(e)) if e[i]), None)
    if extra is not None:
        code, x12 = ("ELEMENTS_TOO_MANY", "3") if extra > test.room else ("ELEMENT_NOT_USED", "I10")
        yield extra, _problem(code, x12, e[extra])


def live_conditions(node: grammar.Node) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The conditions between elements that the guide's own usages leave open."""
    usage = {i: element.usage for i, element in enumerate(node.elements, 1)}
    live = []
    for kind, places in node.conditions:
        used = [usage.get(place, "N") for place in places]
        settled = (
            (kind == "R" and "R" in used)
            or (kind == "P" and all(item == "R" for item in used))
            or (kind in "CL" and used[0] == "N")
            or (kind == "C" and all(item == "R" for item in used[1:]))
            or (kind == "L" and "R" in used[1:])
            or all(item == "N" for item in used)
            or (kind == "E" and sum(item != "N" for item in used) < 2)
        )
        if not settled:
            live.append((kind, places))
    return tuple(live)


def broken(kind: str, places: tuple[int, ...], e: list[str]) -> int | None:
    """The element that breaks a condition, or None."""
    filled = [place < len(e) and e[place] != "" for place in places]
    if kind == "P":
        return None if all(filled) or not any(filled) else places[filled.index(False)]
    if kind == "R":
        return None if any(filled) else places[0]
    if kind == "E":
        return None if sum(filled) < 2 else places[1]
    if kind == "C":
        return places[filled.index(False)] if filled[0] and not all(filled) else None
    if kind == "L":
        return places[1] if filled[0] and not any(filled[1:]) else None
    return None
