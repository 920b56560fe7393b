"""Events as each release wrote them, kept for ever: `python -m tests.contracts.golden` adds those of new releases.

For each released schema two records: `full`, with every field, and `least`, with only those that had to be there. What
is sealed in the log stands in the open here; everything is invented.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.contracts.generate import released

GOLDEN = Path(__file__).with_name("records")
KINDS = ("full", "least")
_BY_PATTERN = {
    "": "x",
    r"^[A-Za-z0-9_.:-]{1,64}$": "a_word",
    r"^[a-z]{2,4}_[0-9a-z]{1,48}$": "abc_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f",
    r"^[A-Z]{2}$": "CO",
    r"^[A-Z0-9]{1,5}$": "197",
}
_BY_FORMAT = {"date": "2026-10-05", "date-time": "2026-10-05T16:00:00Z"}


def path_of(kind: str, number: int, which: str) -> Path:
    """Where the record of a release stands: `records/claim.updated.v1/0001.full.json`."""
    return GOLDEN / kind / f"{number:04d}.{which}.json"


def releases() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Every released schema with its event type and number."""
    for kind, schemas in released().items():
        for number, schema in enumerate(schemas, start=1):
            yield kind, number, schema


def record_of(kind: str, schema: dict[str, Any], which: str) -> dict[str, Any]:
    """The record as that release wrote it."""
    found = {
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "dataschema": f"urn:parity:event:{kind}",
        "id": "0192f3c4-a5b6-7c8d-9e0f-1a2b3c4d5e6f",
        "type": kind,
        "source": "/services/somebody",
        "subject": "abc_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f",
        "sequence": "1",
        "time": "2026-10-05T16:00:00+00:00",
        "tenantid": "tnt_golden",
        "data": _example(schema, schema, which),
    }
    if "x-sealed" in schema:
        found["sealed"] = _example(schema["x-sealed"], schema["x-sealed"], which)
    return found


def _example(schema: dict[str, Any], root: dict[str, Any], which: str) -> Any:
    """A value that the schema allows."""
    if "$ref" in schema:
        return _example(root["$defs"][schema["$ref"].rpartition("/")[2]], root, which)
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return None if which == "least" else _example(schema["anyOf"][0], root, which)
    match schema["type"]:
        case "object":
            wanted = schema.get("properties", {}) if which == "full" else schema.get("required", [])
            return {name: _example(schema["properties"][name], root, which) for name in wanted}
        case "array":
            return [_example(schema["items"], root, which)] if which == "full" else []
        case "string":
            return _BY_FORMAT[schema["format"]] if "format" in schema else _BY_PATTERN[schema.get("pattern", "")]
        case "integer":
            return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
        case other:
            raise ValueError(f"no example of {other}")


def main() -> None:
    for kind, number, schema in releases():
        for which in KINDS:
            path = path_of(kind, number, which)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(record_of(kind, schema, which), indent=2) + "\n")
                print(path.relative_to(GOLDEN))


if __name__ == "__main__":
    main()
