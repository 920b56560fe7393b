"""Writes the generated pages of docs/ anew: `python -m tests.contracts.generate`.

`--release` also keeps the present schema of each event that has changed compatibly under
`libs/common/events/released/`, where it is never edited again.
"""

import argparse
import importlib
import json
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from libs.common.events import CATALOG, CONSUMERS, Event

ROOT = Path(__file__).resolve().parents[2]
RELEASED = ROOT / "libs" / "common" / "events" / "released"
SERVICES = ("credentialing", "eligibility", "claims", "remittance", "reporting")
ENVELOPE = {
    "specversion": "always 1.0 (CloudEvents)",
    "id": "UUIDv7; the same when an event is published again",
    "type": "topic and version, such as claim.updated.v1",
    "source": "the service that tells it, such as /services/claims",
    "subject": "the aggregate's id; the partition key",
    "sequence": "orders the events of one (source, subject); a state with a lower one than you know is old",
    "time": "business time, RFC 3339",
    "tenantid": "the tenant",
    "correlationid": "what began the flow, such as the encounter",
    "causationid": "the event that caused this one",
    "traceparent": "W3C trace context",
    "sealed": "identity and clinical detail, encrypted with the tenant's key; only Parity's services open it",
}


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's open data, with that of its sealed part beside it."""
    schema = event.model_json_schema()
    schema.get("properties", {}).pop("sealed", None)
    used = json.dumps(schema.get("properties", {}))
    definitions = {n: d for n, d in schema.pop("$defs", {}).items()}
    kept = _reachable(used, definitions)
    schema["additionalProperties"] = True
    found: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:parity:event:{event.full_type()}",
        **schema,
    }
    if kept:
        found["$defs"] = {name: definitions[name] for name in sorted(kept)}
    sealed = event.sealed_model()
    if sealed is not None:
        found["x-sealed"] = sealed.model_json_schema()
    return found


def _reachable(text: str, definitions: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    pending = [name for name in definitions if f'"#/$defs/{name}"' in text]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            body = json.dumps(definitions[name])
            pending += [other for other in definitions if f'"#/$defs/{other}"' in body]
    return found


def asyncapi() -> str:
    """The AsyncAPI 3 document of the whole published language."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for topic, event in sorted(CATALOG.items()):
        name = event.__name__
        channels[name] = {"address": topic, "messages": {name: {"$ref": f"#/components/messages/{name}"}}}
        messages[name] = {
            "name": event.full_type(),
            "title": topic,
            "summary": _first(event),
            "contentType": "application/cloudevents+json",
            "payload": {
                "type": "object",
                "required": ["specversion", "id", "type", "source", "subject", "sequence", "time", "tenantid", "data"],
                "properties": {
                    **{n: {"type": "string", "description": d} for n, d in ENVELOPE.items()},
                    "data": {"$ref": f"./{event.full_type()}.schema.json"},
                },
            },
        }
        producers = SERVICES if event.producer == "every service" else (event.producer,)
        for producer in producers:
            operations[f"{producer}Tells{name}"] = {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
        for consumer in (*CONSUMERS[event], "reporting"):
            operations[f"{consumer}Hears{name}"] = {"action": "receive", "channel": {"$ref": f"#/channels/{name}"}}
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parity's events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in structured JSON on Kafka, keyed by subject, 12 partitions a topic.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _first(event: type[Event]) -> str:
    return " ".join((event.__doc__ or "").strip().split("\n\n")[0].split())


def events_page() -> str:
    """The table of events."""
    lines = [
        "# Events",
        "",
        "Generated from `libs/common/events` by `make docs`. Each has a JSON Schema beside this page; "
        "`asyncapi.yaml` holds them all together.",
        "",
        "| event | kind | key | producer | consumers | what it tells |",
        "|---|---|---|---|---|---|",
    ]
    for topic, event in sorted(CATALOG.items()):
        consumers = ", ".join((*CONSUMERS[event], "reporting"))
        schema = f"[{topic}]({event.full_type()}.schema.json)"
        sealed = " (sealed part)" if event.sealed_model() else ""
        lines.append(
            f"| {schema} | {event.kind} | {event.key} | {event.producer} | {consumers} | {_first(event)}{sealed} |"
        )
    lines += ["", "## Attributes of every event", "", "| attribute | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in ENVELOPE.items()]
    lines += [
        "",
        "A **state** event carries an aggregate as it now stands: apply it if its `sequence` is higher than the one "
        "you know. A **fact** has happened: apply each `id` once, in whatever order they come. There is no order "
        "between topics; within one key, first occurrences are in order. Delivery is at least once.",
        "",
    ]
    return "\n".join(lines)


def flow_page() -> str:
    """Who tells whom what."""
    lines = [
        "# The flow",
        "",
        "Generated from the table of events by `make docs`. Reporting hears every event; its arrows are left out.",
        "",
        "```mermaid",
        "flowchart LR",
        "    ehr([EHR]) -- webhook --> claims",
        "    claims <-- 837, 999, 277CA --> clearinghouse([clearinghouse])",
        "    eligibility <-- 270, 271 --> clearinghouse",
        "    clearinghouse -- 835 --> remittance",
        "    bank([bank]) -- deposits --> remittance",
    ]
    between: dict[tuple[str, str], list[str]] = {}
    for event, consumers in CONSUMERS.items():
        for consumer in consumers:
            between.setdefault((event.producer, consumer), []).append(event.topic)
    lines += [f"    {a} -- {'<br/>'.join(sorted(t))} --> {b}" for (a, b), t in sorted(between.items())]
    lines += ["    everything([every service]) -- all events --> reporting", "```", ""]
    for service in SERVICES:
        hears = sorted(e.topic for e, by in CONSUMERS.items() if service in by) if service != "reporting" else ["all"]
        tells = sorted(e.topic for e in CONSUMERS if e.producer == service)
        package = importlib.import_module(f"services.{service}")
        lines += [f"## {service}", "", (package.__doc__ or "").strip(), ""]
        lines += [f"- hears: {', '.join(hears) or 'nothing'}", f"- tells: {', '.join([*tells, 'task.changed'])}", ""]
        lines += _steps(service)
    return "\n".join(lines)


def _steps(service: str) -> list[str]:
    """The modules of a service, each with the sentence that it begins with."""
    lines = []
    for path in sorted((ROOT / "services" / service).glob("*.py")):
        if path.stem.startswith("__"):
            continue
        first = path.read_text().split('"""')[1].strip().split("\n\n")[0]
        lines.append(f"- `{path.relative_to(ROOT)}`: {' '.join(first.split())}")
    return [*lines, ""]


def lifecycles_page() -> str:
    """Every lifecycle table of the services, drawn."""
    lines = ["# Lifecycles", "", "Generated from the tables in each service's domain by `make docs`.", ""]
    for service in SERVICES:
        domain = _domain(service)
        for title, table in getattr(domain, "LIFECYCLES", {}).items():
            lines += [f"## {title} ({service})", "", "```mermaid", "stateDiagram-v2"]
            merged: dict[tuple[str, str], list[str]] = {}
            for (state, step), target in table.items():
                merged.setdefault((_word(state), _word(target)), []).append(_word(step))
            lines += [f"    {a} --> {b}: {', '.join(steps)}" for (a, b), steps in merged.items()]
            lines += ["```", ""]
    return "\n".join(lines)


def _domain(service: str) -> Any:
    try:
        return importlib.import_module(f"services.{service}.domain")
    except ModuleNotFoundError as error:
        if error.name != f"services.{service}.domain":
            raise
        return None


def _word(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def pages() -> dict[Path, str]:
    """Every generated page and its content."""
    found = {
        ROOT / "docs" / "flow.md": flow_page(),
        ROOT / "docs" / "lifecycles.md": lifecycles_page(),
        ROOT / "docs" / "events" / "README.md": events_page(),
        ROOT / "docs" / "events" / "asyncapi.yaml": asyncapi(),
    }
    for event in CATALOG.values():
        path = ROOT / "docs" / "events" / f"{event.full_type()}.schema.json"
        found[path] = json.dumps(schema_of(event), indent=2, ensure_ascii=False) + "\n"
    return found


def released() -> dict[str, list[dict[str, Any]]]:
    """The schemas that have been released, oldest first, by event type."""
    return (
        {
            folder.name: [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
            for folder in sorted(RELEASED.iterdir())
            if folder.is_dir()
        }
        if RELEASED.exists()
        else {}
    )


def release() -> list[Path]:
    """Keep the present schema of each event whose schema is not the one released last."""
    written = []
    known = released()
    for event in CATALOG.values():
        schema, before = schema_of(event), known.get(event.full_type(), [])
        if before and before[-1] == schema:
            continue
        path = RELEASED / event.full_type() / f"{len(before) + 1:04d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
        written.append(path)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", action="store_true", help="keep the present schemas as released")
    if parser.parse_args().release:
        for path in release():
            print(path.relative_to(ROOT))
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
