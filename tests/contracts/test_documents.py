"""The generated pages are those that the code makes now (`make docs`), and what is promised names what shows it."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from libs.common.events import CATALOG
from tests.contracts.generate import ROOT, asyncapi, pages, schema_of


@pytest.mark.parametrize("path", sorted(pages()), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    assert path.exists(), "run `make docs`"
    assert path.read_text() == pages()[path], "run `make docs`"


def test_no_page_is_left_of_an_event_that_is_gone() -> None:
    stand = set((ROOT / "docs" / "events").glob("*.schema.json"))
    assert stand == {p for p in pages() if p.suffix == ".json"}


@pytest.mark.parametrize("topic", sorted(CATALOG))
def test_a_schema_is_a_valid_json_schema(topic: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(CATALOG[topic]))


def test_the_asyncapi_document_points_only_at_what_it_holds() -> None:
    document = yaml.safe_load(asyncapi())
    assert document["asyncapi"] == "3.0.0"
    for operation in document["operations"].values():
        name = operation["channel"]["$ref"].rpartition("/")[2]
        assert name in document["channels"]
        assert set(document["channels"][name]["messages"]) <= set(document["components"]["messages"])


def rows(page: str, head: str) -> list[list[str]]:
    """The table of a page that has this head, cell by cell."""
    lines = (ROOT / page).read_text().partition(head)[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


PROMISES = rows("docs/promises.md", "| promise | measured | test |")


def test_every_promise_has_its_figure_and_a_test_or_a_command_that_is_there() -> None:
    assert len(PROMISES) > 40
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for promise, measured, shown in PROMISES:
        assert re.search(r"[0-9]", measured), promise
        named = [name for name in re.findall(r"`([^`]+)`", shown) if not name.startswith(".parity/")]
        assert named or shown == "the same", promise
        for name in named:
            there = name.split()[1] in targets if name.startswith("make ") else (ROOT / name).is_file()
            assert there, f"{promise}: {name}"


def test_no_test_of_a_promise_is_left_out_of_the_page() -> None:
    page = (ROOT / "docs" / "promises.md").read_text()
    tests = {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "promises").glob("test_*.py")}
    assert {path for path in tests if path not in page} == set()


def test_the_readme_claims_the_figures_of_the_promises_and_nothing_more() -> None:
    measured = [cell for _, cell, _ in PROMISES]
    claimed = rows("README.md", "| promise | measured |")
    assert len(claimed) >= 5
    for promise, figure in claimed:
        assert any(figure in cell for cell in measured), promise
