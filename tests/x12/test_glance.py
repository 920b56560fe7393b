"""What a glance accepts has nothing wrong, and what a rule is not asked about it would have kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.x12 import accept, checking, elements, grammar, rules
from libs.x12.grammar import Loop, Node
from libs.x12.machine import Machine
from libs.x12.nesting import Nesting
from libs.x12.parts import Part, Seg, Tx
from tests.x12.changes import joined, segments
from tests.x12.mutations import CLAIM, REMIT
from tests.x12.samples import VALID

_VALUES = st.sampled_from(
    [
        "",
        " ",
        " A",
        "A ",
        "X",
        "9",
        "1",
        "-5",
        "1.234",
        "20261399",
        "20260105",
        "A^B",
        "HC:90837:X",
        "é",
        "\x01",
        "Z" * 90,
    ]
)
_SETS = sorted(VALID)


def _nodes(loop: Loop) -> list[Node]:
    return [*loop.nodes(), *(node for inner in loop.loops() for node in _nodes(inner))]


_NODES = {name: Machine(grammar.spec(name)).named for name in _SETS}
_SEGMENTS = {name: [text.split("*") for text in segments(VALID[name])[3:-3]] for name in _SETS}
_TESTS: dict[int, elements.SegmentTest] = {}


def _test(node: Node) -> elements.SegmentTest:
    return _TESTS.setdefault(id(node), elements.segment_test(node, ":", "^"))


@st.composite
def changed_segments(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A segment of a valid file, with some elements changed, added or cut off; and the set that it is from."""
    name = draw(st.sampled_from(_SETS))
    found = list(draw(st.sampled_from(_SEGMENTS[name])))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(1, len(found)))
        found[place : place + draw(st.integers(0, 1))] = [draw(_VALUES | st.sampled_from(found))]
    return name, found[: draw(st.integers(1, len(found)))] if draw(st.booleans()) else found


@given(changed_segments())
def test_a_glance_accepts_nothing_that_a_close_look_complains_about(segment: tuple[str, list[str]]) -> None:
    name, e = segment
    for node in _NODES[name][e[0]]:
        fine = accept.acceptor(node, _test(node), len(e), ("*", ":", "^"))
        if fine is not None and fine(e, "*".join(e)):
            assert not list(elements.problems(elements.segment_test(node, ":", "^"), e))


def test_a_glance_accepts_what_is_right() -> None:
    for name in _SETS:
        for e in _SEGMENTS[name]:
            right = [n for n in _NODES[name][e[0]] if not list(elements.problems(_test(n), e))]
            assert right, (name, e)
            for node in right:
                fine = accept.acceptor(node, _test(node), len(e), ("*", ":", "^"))
                assert fine is not None, (name, e)
                assert fine(e, "*".join(e)), (name, e)


class Noted(list[str]):
    """Elements that know which of them were looked at."""

    def __init__(self, e: list[str]) -> None:
        super().__init__(e)
        self.read: set[int] = set()

    def __getitem__(self, place):  # type: ignore[no-untyped-def]
        self.read |= {place} if isinstance(place, int) else set(range(len(self))[place])
        return super().__getitem__(place)


@given(changed_segments())
def test_a_rule_for_single_segments_looks_only_at_what_it_says(segment: tuple[str, list[str]]) -> None:
    name, e = segment
    spec = grammar.spec(name)
    tx = Tx(name, spec.guides[0], "0001", ":", "^", 0, today="20260120")

    def broken(elements_of_it: list[str]) -> bool:
        return bool(list(rule((elements_of_it, None, 0, 0), tx)))

    for rule in rules.segment_rules().get(e[0], []):
        other = rule.position and (rule.position >= len(e) or e[rule.position] not in rule.only)
        if other or (rule.lacks and len(e) > max(rule.lacks) and all(e[place] for place in rule.lacks)):
            assert not broken(e)
        elif rule.reads:
            noted = Noted(e)
            broken(noted)
            assert noted.read <= {0, *rule.reads}, rule.body


class Asking(Nesting):
    """Asks the rules of each loop that the check does not ask."""

    asked = 0

    def close(self, part: Part, seg: Seg) -> None:
        for rule in self.rules.get(part.loop.id, ()):
            if rule.needs and rule.needs not in part.ids and rule.needs not in part.kinds:
                assert not list(rule.body(part, self.tx)), rule.code
                Asking.asked += 1
        super().close(part, seg)


def test_a_rule_is_kept_where_what_it_needs_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "Nesting", Asking)
    for name, defect in [("837P", d) for d in CLAIM] + [("835", d) for d in REMIT]:
        list(checking.Checker(joined(defect.change(segments(VALID[name]))), None, closely=True).findings())
    assert Asking.asked > 1000
