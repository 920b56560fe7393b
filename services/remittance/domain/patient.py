"""A patient's money and what it is used for: first what is owed longest, never more than is owed."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A line as the patient sees it: asked for, already paid, already let go."""

    line_id: str
    order: tuple[str, ...]
    responsibility: int
    paid: int = 0
    written_off: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What is paid and let go on a line now."""

    paid: int
    written_off: int


def apply_money(lines: Sequence[Owed], money: int) -> tuple[dict[str, Applied], int]:
    """Each line's payment, and what is left of the money.

    Money stays where it was used as long as it is owed there; what is no longer owed is free again, and free money
    goes to the oldest line that is owed. A refund of used money frees the newest lines first.
    """
    paid = {line.line_id: min(line.paid, line.responsibility) for line in lines}
    free = money - sum(paid.values())
    for line in sorted(lines, key=lambda owed: owed.order, reverse=True):
        if free < 0:
            back = min(paid[line.line_id], -free)
            paid[line.line_id] -= back
            free += back
    applied = {}
    for line in sorted(lines, key=lambda owed: owed.order):
        let_go = min(line.written_off, line.responsibility - paid[line.line_id])
        used = min(free, line.responsibility - paid[line.line_id] - let_go)
        free -= used
        applied[line.line_id] = Applied(paid=paid[line.line_id] + used, written_off=let_go)
    assert free >= 0, "patients' money cannot be less than nothing"
    return applied, free
