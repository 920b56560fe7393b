"""The specification as regular expressions of segments and loops in which nothing is wrong, as far as the text says.

An expression matches only what the tests of `elements` and the machine would let pass; what it does not match is not
wrong for that, and is looked at by them."""

import re
from collections.abc import Callable, Sequence
from itertools import groupby, product
from typing import Any

from libs.x12 import elements, grammar, rules
from libs.x12.codes import code_list
from libs.x12.grammar import Element, Loop, Node
from libs.x12.marks import Marks, Ref, any_but, codes

_DAY = (
    "(?:1[89]|[2-9][0-9])(?:[0-9]{2}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])(?:29|30)"
    "|(?:0[13578]|1[02])31)|(?:0[48]|[2468][048]|[13579][26])0229)"
)
#: Of a number before its point; more make a unit doubtful, so that amounts may be worked out as floats.
_MOST_DIGITS = 13
_TIME = "(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:[0-9]{1,2})?)?"


class Writer:
    """Writes the expression of a loop's own segments, and of the loops within it that are there once."""

    def __init__(
        self,
        marks: Marks,
        met: Callable[[Node], bool],
        wanted: set[Ref],
        barred: set[tuple[str, str]],
        apart: Loop | None,
    ) -> None:
        self.marks = marks
        self.met = met
        self.wanted = wanted
        self.barred = barred
        """Segments and loops that it leaves out: (loop, id)."""
        self.apart = apart
        """A loop that is matched by an expression of its own."""
        self.groups: dict[str, Ref] = {}
        """Names of groups, and what they hold."""
        self.asked: list[tuple[Any, Node, dict[int, str]]] = []
        """Rules that are to be asked about a segment: the rule, the segment, the groups of the elements that it reads
        (0 for all of it)."""
        self._count = 0
        self.star, self.colon, self.end = re.escape(marks.element), re.escape(marks.component), re.escape(marks.end)
        self.stop = f"{self.star}{re.escape(marks.end[0])}"
        self.character = any_but("".join(marks))

    def name(self) -> str:
        """A new name for a group."""
        self._count += 1
        return f"g{self._count}"

    # -- loops

    def loop(self, loop: Loop) -> str:
        """The loop's segments and the loops within it that are there once, in the guide's order."""
        own = [child for child in loop.children if isinstance(child, Node) or (child.kept and child is not self.apart)]
        children = own[1:]
        there = [child for child in children if self._there(loop, child)]
        if sum(child.usage == "R" for child in children) > sum(child.usage == "R" for child in there):
            return "(?!)"
        found = [self.segment(loop.first)]
        for _, run in groupby(there, key=lambda child: child.ordinal):
            found.append(self._run([*run]))
        return "".join(found)

    def _there(self, loop: Loop, child: Node | Loop) -> bool:
        first = child if isinstance(child, Node) else child.first
        return self.met(first) and (loop.id, child.id) not in self.barred

    def _run(self, run: list[Node | Loop]) -> str:
        """Neighbours that begin alike: each as often as it may, in any order."""
        if len(run) == 1 and not self._apart(run[0]):
            return self._alone(run[0])
        ways, after, most, taken = [], "", 1000, set[str]()
        for child in run:
            if isinstance(child, Node) and not child.qualifier[1]:
                continue  # which of its namesakes it is depends on what stands around it
            texts = self._ways(child, taken)
            several = len(texts) > 1
            once = several or child.repeat == 1 or bool(self._refs(child)) or self._delicate(child)
            each = several and child.usage != "R" and child.repeat >= len(texts)
            for text in texts if each else [f"(?:{'|'.join(texts)})" if several else texts[0]]:
                seen = self.name() if once or child.usage == "R" else ""
                ways.append(text + (f"(?({seen})(?!))" if once else "") + (f"(?P<{seen}>)" if seen else ""))
                after += f"(?({seen})|(?!))" if child.usage == "R" else ""
            most = most if once else min(most, child.repeat)
        return f"(?:{'|'.join(ways)}){{0,{most}}}{after}" if ways else ""

    def _alone(self, child: Node | Loop) -> str:
        """One that has no neighbours that begin alike."""
        if isinstance(child, Loop) or child.repeat == 1 or self._delicate(child):
            (text,) = self._ways(child, set())
            return text if child.usage == "R" else f"(?:{text}|)"
        text = self.segment(child, child.qualifier[1], whole=False)
        text = f"(?:{text}){{{int(child.usage == 'R')},{min(child.repeat, 1000)}}}"
        whole = next((ref for ref in self._refs(child) if not ref.element), None)
        return self._held(text, whole) if whole else text

    def _ways(self, child: Node | Loop, taken: set[str]) -> list[str]:
        """The ways in which a member of a run may look: several where its qualifiers are told apart. A qualifier that
        is `taken` belongs to a member before it."""
        if isinstance(child, Loop):
            return [self.loop(child)]
        apart = self._apart(child)
        rest = {*child.qualifier[1]} - {*apart} - taken
        ways = [self.segment(child, (code,)) for code in apart]
        if rest or not child.qualifier[1]:
            ways.append(self.segment(child, (*sorted(rest),)))
        taken |= {*child.qualifier[1]}
        return ways

    def _refs(self, child: Node | Loop) -> list[Ref]:
        """What is wanted of a segment."""
        if isinstance(child, Loop):
            return []
        known = child.qualifier[1]
        alike = [ref for ref in self.wanted if (ref.loop, ref.segment) == (child.loop.id, child.id)]
        return sorted(ref for ref in alike if not ref.qualifier or ref.qualifier in known)

    def _apart(self, child: Node | Loop) -> list[str]:
        """The qualifiers of a segment that has several, by which something of it is wanted."""
        found = {ref.qualifier for ref in self._refs(child) if ref.qualifier}
        return sorted(found) if isinstance(child, Node) and len(child.qualifier[1]) > 1 else []

    def _delicate(self, child: Node | Loop) -> bool:
        """It may stand only once in the expression, since groups are remembered of it."""
        if isinstance(child, Loop):
            return True
        asked = any(not entry.settled for entry in self._entries(child))
        return asked or any(ref.element for ref in self._refs(child)) or bool(self._conditions(child))

    def _held(self, text: str, what: Ref | None) -> str:
        """The expression, and what it matches remembered if it is wanted."""
        if what is None:
            return text
        name = self.name()
        self.groups[name] = what
        return f"(?P<{name}>{text})"

    # -- segments

    def _entries(self, node: Node) -> list[Any]:
        """The rules for single segments that such a segment can break."""
        return [entry for entry in rules.segment_rules().get(node.id, ()) if entry.concerns(node)]

    def _conditions(self, node: Node) -> list[tuple[str, tuple[int, ...]]]:
        """The conditions between elements that the expression does not fulfil of itself."""
        return [
            (kind, places)
            for kind, places in elements.live_conditions(node)
            if not all(node.elements[place - 1].group for place in places if place <= len(node.elements))
        ]

    def segment(self, node: Node, only: tuple[str, ...] = (), *, whole: bool = True) -> str:
        """A whole segment, of these qualifiers if any are named; all of it is caught if it is wanted as a whole."""
        refs = [ref for ref in self._refs(node) if not ref.qualifier or ref.qualifier in only]
        entries, conditions = self._entries(node), self._conditions(node)
        marked = {place: self.name() for _, places in conditions for place in places if place <= len(node.elements)}
        asked = {place: "" for entry in entries if not entry.settled for place in _varying(entry, node)}
        items: list[tuple[str, bool]] = []
        for place, element in enumerate(node.elements, 1):
            if element.group and element.group[0] == 0 and len(items) < place:
                break
            required = element.usage == "R" or any(place in entry.lacks for entry in entries)
            own = [ref for ref in refs if ref.element == place]
            text = "" if element.usage == "N" else self._formed(node, place, element, only, entries, own)
            text = self._held(text, next((ref for ref in own if not ref.component), None))
            if place in asked and text:
                asked[place] = name = self.name()
                text = f"(?P<{name}>{text})"
            if place in marked and text:
                text += f"(?P<{marked[place]}>)"
            items.append((text, required))
        body = re.escape(node.id) + self._sequence(items, self.star, first=False) + self._turns(node)
        body += f"(?<!{self.star})" * (not items[-1][1] or bool(node.elements[-1].group))
        body += "".join(_condition(kind, places, marked) for kind, places in conditions) + self.end
        if 0 in asked:
            asked[0] = name = self.name()
            body = f"(?P<{name}>{body})"
        self.asked += [
            (entry, node, {place: asked[place] for place in _varying(entry, node) if asked.get(place)})
            for entry in entries
            if not entry.settled
        ]
        return self._held(body, next((ref for ref in refs if whole and not ref.element), None))

    def _sequence(self, items: list[tuple[str, bool]], mark: str, *, first: bool) -> str:
        """Items with a separator before each, or between them if there is to be none before the `first`."""
        while items and not items[-1][0]:
            items = items[:-1]
        needed = max([place for place, (_, required) in enumerate(items) if required], default=-1)
        text = ""
        for place in range(len(items) - 1, -1, -1):
            item, required = items[place]
            own = item if required or not item else f"(?:{item}|)"
            text = ("" if first and not place else mark) + own + text
            text = text if place <= needed or (first and not place) else f"(?:{text}|)"
        return text

    def _turns(self, node: Node) -> str:
        """A group of elements that a segment repeats, without gaps."""
        groups = [element for element in node.elements if element.group]
        if not groups:
            return ""
        size = groups[0].group[1]  # type: ignore[index]
        turn = groups[:size]
        texts = [self._element(element, ()) for element in turn]
        kept = len([element for element in turn if element.usage == "R"])
        core = "".join(self.star + text for text in texts[:kept])
        between = "".join(f"{self.star}(?:{text}|)" for text in texts[kept:])
        last = self._sequence([(text, False) for text in texts[kept:]], self.star, first=False)
        return f"{core}(?:{between}{core}){{0,{len(groups) // size - 1}}}{last}"

    # -- elements

    def _formed(
        self, node: Node, place: int, element: Element, only: tuple[str, ...], entries: list[Any], refs: list[Ref]
    ) -> str:
        """An element that is as the guide has it, and of the forms for which the rules for single segments ask."""
        named = only if place == node.qualifier[0] else ()
        text = self._element(element, named, refs)
        for entry in entries:
            for target, form in entry.form.items():
                if not entry.position and target == place:
                    text = f"(?={form}[{self.stop}]){text}"
                if entry.position == place:
                    skip = f"(?:{self.star}[^{self.stop}]*)"
                    gap = target - place - 1
                    right = f"(?={skip}{{0,{gap}}}{self.end}|{skip}{{{gap}}}{self.star}(?:{form}|)[{self.stop}])"
                    known = {*(named or element.codes)}
                    ways = [codes(known - entry.only)] if known - entry.only else []
                    ways += [codes(known & entry.only) + right] if known & entry.only else []
                    text = f"(?:{'|'.join(ways)})"
        return text

    def _element(self, element: Element, only: tuple[str, ...], refs: Sequence[Ref] = ()) -> str:
        """A value that the element may have, one of `only` if any are named."""
        if element.components:
            return self._composite(element, only, refs)
        if element.number == "1250":
            return "D8" if not element.codes or "D8" in element.codes else "(?!)"
        if only or element.codes or element.list_name:
            known = code_list(element.list_name).codes if element.list_name and not only else frozenset[str]()
            return codes(known | {*(only or element.codes)})
        kind, low, high = grammar.data_elements()[element.number]
        if kind == "DT" or element.number == "1251":
            return _DAY
        return {
            "N0": f"-?[0-9]{{1,{high}}}",
            "R": f"-?[0-9]{{1,{max(min(high - 2, _MOST_DIGITS), 1)}}}(?:\\.[0-9]{{1,2}})?",
            "TM": _TIME,
        }.get(kind, f"(?! ){self.character}{{{low},{high}}}(?<! )")

    def _composite(self, element: Element, only: tuple[str, ...], refs: Sequence[Ref]) -> str:
        """A composite, its first component one of `only` if any are named."""
        parts = []
        for place, part in enumerate(element.components):
            text = "" if part.usage == "N" else self._element(part, only if not place else ())
            text = self._held(text, next((ref for ref in refs if ref.component == place + 1), None))
            parts.append((text, part.usage == "R"))
        text = self._sequence(parts, self.colon, first=True)
        return text if parts[0][1] else f"(?![{self.stop}]){text}"


def _varying(entry: Any, node: Node) -> list[int]:
    """The elements that a rule reads and that may have more than one value; 0 for a rule that reads all."""
    most = len(node.elements)
    return [place for place in entry.reads if place <= most and not node.elements[place - 1].constant] or [0]


def _condition(kind: str, places: tuple[int, ...], marked: dict[int, str]) -> str:
    """What must hold at the end of a segment: an assertion about which of its elements were there."""
    names = [marked.get(place, "") for place in places]
    ways = ""
    for filled in product((True, False), repeat=len(names)):
        e = ["X"] + [""] * max(places)
        for place, there in zip(places, filled, strict=True):
            e[place] = "X" if there else ""
        if any(there and not name for there, name in zip(filled, names, strict=True)):
            continue
        if elements.broken(kind, places, e) is not None:
            ways += _exactly(names, filled)
    return ways


def _exactly(names: list[str], filled: tuple[bool, ...]) -> str:
    """Fails if just these groups took part."""
    text = "(?!)"
    for name, there in zip(reversed(names), reversed(filled), strict=True):
        if name:
            text = f"(?({name}){text})" if there else f"(?({name})|{text})"
    return text
