"""Rules that look at more than one element: each is one entry with its level, its source and its advice."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from libs.x12.findings import Severity
from libs.x12.parts import Places

#: Modules whose rules register themselves when they are first needed.
MODULES = (
    "claim", "dates", "decisions", "diagnoses", "eligibility", "institutional", "other_payers", "payment",
    "payment_dates", "people", "remittance", "review", "status",
)  # fmt: skip

Body = Callable[..., Places]


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
    kept: str = ""
    """A condition under which a loop that is otherwise in order keeps the rule."""
    note: str = ""
    """What the transaction remembers of a loop that keeps it."""


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
    kept: str = "",
    note: str = "",
) -> Callable[[Body], Body]:
    """Register a rule for one or more sets (separated by blanks) and loops.

    `kept` is a condition under which the rule is kept for sure by a loop whose segments are all in order; what it does
    not settle is looked at by the rule itself. It is Python with elements in braces: ``{CLM02}`` is the text of an
    element of the rule's loop, or of one within it that is there once; ``{REF02*F8}`` of the segment with that
    qualifier, ``{CLM05-3}`` of a component, ``{CAS}`` of all such segments; ``{$CLM02}`` is in cents, ``{-CAS}`` what
    such segments take off. ``{2400:SV102}`` names another loop, and lists its values if there may be many;
    ``{SV102|SV203}`` means whichever the guide has; ``{#2300}`` counts levels and items. What is not there is empty.
    Functions are those of the rule's own module and of `values`. `note` is a statement of the same kind, for what the
    rule itself would have remembered."""

    def register(body: Body) -> Body:
        entry = Rule(code, level, body, source, advice, severity, x12, (body.__doc__ or "").strip(), needs, kept, note)
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
    import_module("libs.x12.rules.service_codes")
    found: dict[str, list[Any]] = import_module("libs.x12.rules.segments").SEGMENTS
    return found
