"""Within a version every release can read every other: fully and transitively compatible schemas."""

from typing import Any

import pytest

from libs.common.events import CATALOG
from tests.contracts.generate import released, schema_of

RELEASED = [(kind, number, schema) for kind, all_ in released().items() for number, schema in enumerate(all_, 1)]


def test_every_event_has_been_released() -> None:
    assert {event.full_type() for event in CATALOG.values()} <= set(released()), "make docs with --release"


@pytest.mark.parametrize(("kind", "number", "old"), RELEASED, ids=lambda v: v if isinstance(v, str) else "")
def test_a_released_schema_and_the_present_one_read_each_other(kind: str, number: int, old: dict[str, Any]) -> None:
    event = next(e for e in CATALOG.values() if e.full_type() == kind)
    new = schema_of(event)
    assert differences(old, new, old, new) == []
    if "x-sealed" in old:
        assert differences(old["x-sealed"], new["x-sealed"], old["x-sealed"], new["x-sealed"]) == []


def differences(old: Any, new: Any, old_root: Any, new_root: Any, at: str = "") -> list[str]:
    """What keeps a reader of one from reading the other."""
    old, new = resolved(old, old_root), resolved(new, new_root)
    found = []
    before, after = old.get("properties", {}), new.get("properties", {})
    found += [f"{at}/{n}: was required and is gone" for n in before if n not in after and n in old.get("required", [])]
    found += [f"{at}/{n}: is new and required" for n in after if n not in before and n in new.get("required", [])]
    for name in before.keys() & after.keys():
        if (name in new.get("required", [])) and name not in old.get("required", []):
            found.append(f"{at}/{name}: has become required")
        found += differences(before[name], after[name], old_root, new_root, f"{at}/{name}")
    for word in ("type", "format", "pattern", "maxLength", "minimum", "exclusiveMinimum", "maximum", "const", "enum"):
        if old.get(word) != new.get(word):
            found.append(f"{at}: {word} was {old.get(word)} and is {new.get(word)}")
    if "items" in old or "items" in new:
        found += differences(old.get("items", {}), new.get("items", {}), old_root, new_root, f"{at}[]")
    ways = list(zip(old.get("anyOf", []), new.get("anyOf", []), strict=False))
    if len(old.get("anyOf", [])) != len(new.get("anyOf", [])):
        found.append(f"{at}: has other alternatives")
    for one, other in ways:
        found += differences(one, other, old_root, new_root, at)
    return found


def resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        target: dict[str, Any] = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return target
    return schema


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a", "b"]},
            "is new and required",
        ),
        ({"properties": {}, "required": []}, "was required and is gone"),
        ({"properties": {"a": {"type": "integer"}}, "required": ["a"]}, "type was string"),
    ],
)
def test_an_incompatible_change_would_be_seen(change: dict[str, Any], says: str) -> None:
    old: dict[str, Any] = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    assert any(says in found for found in differences(old, change, old, change))
    assert differences(old, old | {"properties": old["properties"] | {"c": {"type": "string"}}}, old, {}) == []
