"""X12's dictionary, as far as these sets use it: segments, composites, data elements."""

from functools import cache
from pathlib import Path

SPECS = Path(__file__).parent / "specs"


@cache
def dictionary() -> tuple[
    dict[str, tuple[tuple[str, str], ...]], dict[str, str], dict[str, list[tuple[str, tuple[int, ...]]]]
]:
    """Segments and composites as (data element, default field), default collections, conditions."""
    parts: dict[str, tuple[tuple[str, str], ...]] = {}
    targets: dict[str, str] = {}
    conditions: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for line in (SPECS / "dictionary.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        body, _, target = line.partition(" -> ")
        name, *rest = body.split()
        pairs = [item.partition(":")[::2] for item in rest if not item.startswith("%")]
        parts[name] = tuple((number, name_) for number, name_ in pairs)
        targets[name] = target.strip()
        conditions[name] = [
            (item[1], tuple(int(item[i : i + 2]) for i in range(2, len(item), 2)))
            for item in rest
            if item.startswith("%")
        ]
    return parts, targets, conditions


@cache
def data_elements() -> dict[str, tuple[str, int, int]]:
    """Data element number to (type, shortest, longest)."""
    found = {}
    for line in (SPECS / "elements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            number, kind, low, high = line.split()
            found[number] = (kind, int(low), int(high))
    return found
