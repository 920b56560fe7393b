"""Rules that look at more than one element: each is one entry with its level, its source and its advice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from libs.x12.findings import Severity
from libs.x12.parts import Part, Places, Tx

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
) -> Callable[[Body], Body]:
    """Register a rule for one or more sets (separated by blanks) and loops."""

    def register(body: Body) -> Body:
        entry = Rule(code, level, body, source, advice, severity, x12, (body.__doc__ or "").strip())
        for name in sets.split():
            for place in loop.split():
                RULES.setdefault((name, "" if place == "transaction" else place), []).append(entry)
        return body

    return register


def rules_of(set_name: str) -> dict[str, list[Rule]]:
    """Loop id to the rules of a set; '' for those of the whole transaction."""
    from libs.x12.rules import claim, eligibility, other_payers, payment, status  # noqa: F401 - they register themselves

    found: dict[str, list[Rule]] = {}
    for (name, loop), entries in RULES.items():
        if name == set_name:
            found.setdefault(loop, []).extend(entries)
    return found


def segment_rules() -> dict[str, list[Any]]:
    """Segment id to the rules that every segment of that id keeps, in any set."""
    from libs.x12.rules import segments

    return segments.SEGMENTS
