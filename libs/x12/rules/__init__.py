"""Rules that look at more than one element: each is one entry with its level, its source and its advice."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from libs.x12.findings import Severity
from libs.x12.parts import Part, Places, Tx

#: Modules whose rules register themselves when they are first needed.
MODULES = (
    "claim", "dates", "decisions", "diagnoses", "eligibility", "institutional", "other_payers", "payment",
    "payment_dates", "people", "remittance", "review", "status",
)  # fmt: skip

Body = Callable[[Part, Tx], Places]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: when it runs, what a finding of it is called, and where it comes from."""

    code: str
    level: int
    body: Body
    source: str
    advice: str
    severity: Severity
    x12: str
    text: str
    needs: str = ""
    """A segment or loop without which a loop keeps the rule, which is not asked then."""


#: (set, loop id) to the rules that run when such a loop ends; ("", segment id) for every segment of that id.
RULES: dict[tuple[str, str], list[Rule]] = {}


def rule(
    code: str,
    *,
    sets: str,
    loop: str,
    level: int,
    source: str,
    advice: str = "",
    severity: Severity = "error",
    x12: str = "",
    needs: str = "",
) -> Callable[[Body], Body]:
    """Register a rule for one or more sets (separated by blanks) and loops."""

    def register(body: Body) -> Body:
        entry = Rule(code, level, body, source, advice, severity, x12, (body.__doc__ or "").strip(), needs)
        for name in sets.split():
            for place in loop.split():
                RULES.setdefault((name, "" if place == "transaction" else place), []).append(entry)
        return body

    return register


def rules_of(set_name: str) -> dict[str, list[Rule]]:
    """Loop id to the rules of a set; '' for those of the whole transaction."""
    for module in MODULES:
        import_module(f"libs.x12.rules.{module}")

    found: dict[str, list[Rule]] = {}
    for (name, loop), entries in RULES.items():
        if name == set_name:
            found.setdefault(loop, []).extend(entries)
    return found


def segment_rules() -> dict[str, list[Any]]:
    """Segment id to the rules that every segment of that id keeps, in any set."""
    found: dict[str, list[Any]] = import_module("libs.x12.rules.segments").SEGMENTS
    return found
