"""What any release wrote can be read today, and what is written today can be read by any release."""

import json
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from libs.common.events import CATALOG, Event, read, write
from tests.contracts.generate import released
from tests.contracts.golden import KINDS, path_of, releases

RELEASES = [(kind, number, which) for kind, number, _ in releases() for which in KINDS]


@pytest.mark.parametrize(("kind", "number", "which"), RELEASES, ids=str)
def test_a_record_of_every_release_is_read_today_whole(kind: str, number: int, which: str) -> None:
    kept = golden(kind, number, which)
    event = as_read(kept).model_dump(mode="json")
    sealed = event.pop("sealed", None)
    assert _within(kept["data"], event)
    if "sealed" in kept:
        assert _within(kept["sealed"], sealed)


@pytest.mark.parametrize(("kind", "number", "which"), RELEASES, ids=str)
def test_what_is_written_today_is_read_by_every_release(kind: str, number: int, which: str) -> None:
    """Today's event, read from any release's record and written again, holds for the readers of all releases."""
    event = as_read(golden(kind, number, which))
    written = orjson.loads(write({"type": kind}, event, None))
    for schema in released()[kind]:
        tolerant = _tolerant(schema)
        assert not list(Draft202012Validator(tolerant).iter_errors(written["data"]))
        sealed = event.model_dump(mode="json").get("sealed")
        if "x-sealed" in schema and sealed is not None:  # the first releases of some events had none
            assert not list(Draft202012Validator(tolerant["x-sealed"]).iter_errors(sealed))


@pytest.mark.parametrize(("kind", "number", "which"), RELEASES, ids=str)
def test_a_reader_of_today_reads_what_a_later_release_adds(kind: str, number: int, which: str) -> None:
    kept = golden(kind, number, which)
    later = json.loads(json.dumps(kept))
    for part in [later, *_objects(later["data"]), *_objects(later.get("sealed"))]:
        part["added_later"] = {"by": ["a later release"]}
    assert as_read(later) == as_read(kept)


def golden(kind: str, number: int, which: str) -> dict[str, Any]:
    path = path_of(kind, number, which)
    assert path.exists(), "python -m tests.contracts.golden adds the records of a new release"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def as_read(kept: dict[str, Any]) -> Event:
    """The event as a service of today gets it, with what is sealed opened."""
    body = kept | ({"sealed": orjson.dumps(kept["sealed"]).decode()} if "sealed" in kept else {})
    model = CATALOG[kept["type"].rpartition(".v")[0]]
    return read(orjson.dumps(body), model, lambda _tenant, sealed, _context: sealed.encode()).data


def _within(kept: Any, seen: Any) -> bool:
    """Everything that was written is there."""
    if isinstance(kept, dict):
        return all(name in seen and _within(value, seen[name]) for name, value in kept.items())
    if isinstance(kept, list):
        return len(kept) == len(seen) and all(map(_within, kept, seen))
    return bool(kept == seen)


def _objects(value: Any) -> list[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return own + [found for one in inner for found in _objects(one)]


def _tolerant(schema: Any) -> Any:
    """The schema as a reader takes it: what it does not know is ignored."""
    if isinstance(schema, dict):
        return {name: _tolerant(inner) for name, inner in schema.items() if name != "additionalProperties"}
    return [_tolerant(inner) for inner in schema] if isinstance(schema, list) else schema
