"""What is accepted as a whole has nothing wrong: a close look at each segment finds the same."""

import re
from collections.abc import Iterator
from random import Random

import pytest

from benchmarks.x12_files import claim_file, remittance
from libs.x12 import checking, tested, units
from libs.x12.checking import Checker
from libs.x12.machine import Machine
from libs.x12.marks import Marks, codes
from tests.x12.changes import joined, recounted
from tests.x12.mutations import CLAIM, REMIT

MARKS = Marks("*", ":", "^", "~")
MAKE = {"837P": claim_file, "835": remittance}
_VALUES = [
    "", " ", " A", "A ", "9", "-5", "1.234", "0", "20261399", "20160229", "20150229", "A^B", "HC:90837:95:95", "é",
    "\x01", "Z" * 90, "AB:CD", "18", "S", "22", "4", "16", "RD8", "20260105-20260101", "1:1", "1:9", "XX", "1234567890",
    "TX", "a", "ABK:F411", "12345678901234567", "20270101", "19000101",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _learned() -> None:
    """Enough units were met for expressions to be made of them."""
    for make in MAKE.values():
        for seed in range(2):
            list(checking.findings(joined([*make(2 * units.PATIENCE + 50, seed)])))


def _units(name: str) -> Iterator[units.Unit]:
    yield from tested.machine(name, MARKS).readers.units.values()


def _changed(parts: list[str], random: Random) -> list[str]:
    """The file with one to three changes somewhere."""
    parts = [*parts]
    for _ in range(random.choice([1, 1, 2, 3])):
        at = random.randrange(2, len(parts) - 2)
        kind = random.random()
        if kind < 0.6:
            e = parts[at].split("*")
            place = random.randrange(1, len(e) + 1)
            e[place : place + 1] = [random.choice(_VALUES + random.choice(parts).split("*")[1:])]
            parts[at] = "*".join(e)
        elif kind < 0.7:
            del parts[at]
        elif kind < 0.8:
            parts.insert(at, random.choice([parts[at], random.choice(parts)]))
        elif kind < 0.9:
            parts[at], parts[at + 1] = parts[at + 1], parts[at]
        else:
            e = parts[at].split("*")
            parts[at] = "*".join(e[: random.randrange(1, len(e) + 1)])
    return recounted(parts) if random.random() < 0.5 and any(part.startswith("ST*") for part in parts) else parts


def _alike(data: bytes) -> None:
    quick, close = Checker(data, None), Checker(data, None, closely=True)
    assert [*quick.findings()] == [*close.findings()]
    assert quick.summaries == close.summaries


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("seed", range(8))
def test_a_changed_file_has_the_same_findings_when_each_segment_is_looked_at(name: str, seed: int) -> None:
    random = Random(seed)
    parts = [*MAKE[name](12, seed)]
    for _ in range(15):
        _alike(joined(_changed(parts, random)))


@pytest.mark.parametrize("mark", ["~\n", "~\r\n", "|"])
def test_so_has_one_with_other_delimiters(mark: str) -> None:
    for make in MAKE.values():
        parts = [*make(units.PATIENCE + 60, 3)]
        for _ in range(2):
            text = "".join(part + "~" for part in parts)
            _alike((text.replace("*", "|") if mark == "|" else text.replace("~", mark)).encode("latin-1"))
            parts = _changed(parts, Random(1))


def test_a_defect_among_claims_that_are_accepted_is_found_where_it_was() -> None:
    for name, defects in (("837P", CLAIM), ("835", REMIT)):
        parts = [*MAKE[name](30, 7)]
        for defect in defects:
            try:
                _alike(joined(defect.change(parts)))
            except (IndexError, StopIteration):
                continue  # the file has no such segment


def test_most_units_are_accepted() -> None:
    for name, make in MAKE.items():
        before = {id(unit): unit.doubts for unit in _units(name)}
        assert not list(checking.findings(joined([*make(400, 11)])))
        for unit in _units(name):
            if unit.settled:
                assert unit.made, unit.loop.id
                assert unit.doubts - before[id(unit)] < 12, unit.loop.id


def test_every_rule_of_the_claim_sets_has_a_condition() -> None:
    for name in MAKE:
        loops = {unit.loop.id: unit.settled for unit in _units(name)}
        assert all(loops[place] for place in ({"2000B", "2000C", "2300"} if name == "837P" else {"2100"}))


def test_the_expression_of_a_list_knows_just_its_words() -> None:
    random = Random(2)
    for _ in range(200):
        words = {"".join(random.choices("AB12", k=random.randrange(1, 4))) for _ in range(random.randrange(1, 9))}
        known = re.compile(codes(words))
        others = {"".join(random.choices("AB12", k=random.randrange(1, 4))) for _ in range(30)}
        assert all(known.fullmatch(word) for word in words)
        assert not any(known.fullmatch(word) for word in others - words)


def test_expressions_can_be_made_whatever_segments_were_met() -> None:
    random = Random(4)
    for name in MAKE:
        known = tested.rules_of(name)
        for unit in [*_units(name)]:
            nodes = [node for loop in unit.loops.values() for node in loop.nodes()]
            for _ in range(25 if unit.settled else 0):
                machine = Machine(tested.machine(name, MARKS).spec)
                for node in random.sample(nodes, k=random.randrange(len(nodes) + 1)):
                    machine.state(node)
                units.Unit(unit.loop, machine, MARKS, known).learn()
