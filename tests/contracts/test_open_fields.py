"""Every open field of an event has a line in `tests/data/open_fields.yaml` that says why it may be seen by anybody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from libs.common.events import CATALOG, Event, Sealed

LISTED: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).resolve().parents[1] / "data" / "open_fields.yaml").read_text()
)


def test_every_open_field_is_listed_with_its_reason_and_no_other() -> None:
    assert LISTED.keys() == CATALOG.keys()
    for topic, event in CATALOG.items():
        assert set(LISTED[topic]) == set(open_fields(event)), topic
        for name, reason in LISTED[topic].items():
            assert len(reason.split()) >= 4, f"{topic} {name} needs a reason, not a word"


def test_a_field_that_nobody_has_listed_would_be_seen() -> None:
    class Whom(BaseModel):
        first_name: str

    class Told(Event):
        claim_id: str
        whom: list[Whom] | None
        sealed: Sealed | None = None

    assert list(open_fields(Told)) == ["claim_id", "whom.first_name"]


def open_fields(model: type[BaseModel], at: str = "") -> Iterator[str]:
    """The path of each value that travels in the open."""
    for name, field in model.model_fields.items():
        inner = list(_models(field.annotation))
        if not at and any(issubclass(one, Sealed) for one in inner):
            continue
        if inner:
            for one in inner:
                yield from open_fields(one, f"{at}{name}.")
        else:
            yield f"{at}{name}"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
