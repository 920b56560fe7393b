"""The specifications: every set compiles, every list exists, every rule has a source."""

import ast
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from libs.x12 import compile_read, compile_write, elements, grammar, rules
from libs.x12.codes import code_list
from libs.x12.grammar import Loop, Node
from libs.x12.records import Delimiters

LIBRARY = Path(grammar.__file__).parent


def nodes(loop: Loop) -> Iterator[Node]:
    for child in loop.children:
        if isinstance(child, Loop):
            yield from nodes(child)
        else:
            yield child


@pytest.mark.parametrize("name", sorted(grammar.names()))
def test_a_set_compiles_for_reading_writing_and_checking(name: str) -> None:
    spec = grammar.spec(name)
    compile_read.machine(name, ":", "^")
    compile_write.writers(name, Delimiters())
    for node in nodes(spec.root):
        elements.segment_test(node, ":", "^")
        for element in node.elements:
            for part in (element, *element.components):
                assert not part.list_name or code_list(part.list_name).codes


def test_the_sets_are_those_of_a_revenue_cycle() -> None:
    expected = {"270", "271", "276", "277", "277CA", "278", "278R", "278I", "278IR", "835", "837I", "837P", "999"}
    assert grammar.names() == expected


def test_every_rule_names_its_source_and_what_it_asks() -> None:
    for name in grammar.names():
        rules.rules_of(name)
    entries = [entry for group in rules.RULES.values() for entry in group]
    entries += [entry.rule for group in rules.segment_rules().values() for entry in group]
    assert len({entry.code for entry in entries}) > 50
    assert all(entry.source and entry.text for entry in entries)


def test_the_library_stands_on_its_own() -> None:
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                assert (
                    name.startswith("libs.x12") or name == "libs" or name.partition(".")[0] in sys.stdlib_module_names
                ), (path, name)


def test_codes_may_end() -> None:
    assert code_list("carc").valid_on("15", date(2018, 1, 1))
    assert not code_list("carc").valid_on("15", date(2025, 1, 1))
    assert code_list("pos").valid_on("10", date(2024, 1, 1))
    assert not code_list("pos").valid_on("10", date(2020, 1, 1))
    assert "N130" in code_list("rarc")
