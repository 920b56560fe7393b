"""The generated pages are those that the code makes now; `make docs` writes them."""

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
