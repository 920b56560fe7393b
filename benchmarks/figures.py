"""A measured figure beside its target, and how a run of them is shown and kept."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. `at_most`: the target is an upper bound, otherwise a lower one."""

    name: str
    value: float | None
    """None: it could not be measured here, and `seen` says why."""
    target: float
    at_most: bool = False
    seen: str = ""
    """The absolute figures behind it."""

    @property
    def ok(self) -> bool:
        if self.value is None:
            return False
        return self.value <= self.target if self.at_most else self.value >= self.target


def middle(values: Sequence[float]) -> float:
    """The median: one disturbed round does not change it."""
    return statistics.median(values)


def shown(figures: Iterable[Figure]) -> str:
    """The table as it is printed."""
    lines = [f"{'figure':44} {'value':>8} {'target':>8}       seen"]
    for one in figures:
        value = "-" if one.value is None else f"{one.value:.3f}"
        sign = "<=" if one.at_most else ">="
        lines.append(f"{one.name:44} {value:>8} {sign}{one.target:>6} {'ok' if one.ok else 'MISSED':6} {one.seen}")
    return "\n".join(lines)


def keep(figures: Iterable[Figure], path: Path) -> None:
    """The figures are in `path`; those of an earlier run that were not measured now stay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(path.read_text()) if path.is_file() else {}
    known |= {one.name: {"value": one.value, "target": one.target, "ok": one.ok} for one in figures}
    path.write_text(json.dumps(known, indent=1) + "\n")
