"""What a claim of an 835 adds up to, read once for all its rules."""

from libs.x12.parts import Part, Seg
from libs.x12.rules.values import adjustments, amount, dated


class Sums:
    """The amounts and days of a claim, read once for all its rules; None for what is malformed."""

    __slots__ = (
        "adjusted", "charge", "clp", "dated", "entries", "known", "lines", "lines_charge", "lines_paid", "own", "paid"
    )  # fmt: skip

    def __init__(self, claim: Part) -> None:
        self.clp = claim.segs[0]
        self.charge, self.paid = amount(self.clp, 3), amount(self.clp, 4)
        own = adjustments(claim)
        self.entries = [*own.entries]
        self.own = self.adjusted = own.total
        self.known = own.known
        """No adjustment is malformed."""
        self.lines: list[tuple[Seg, int | None, int | None, int | None]] = []
        """Each line's SVC, charge, payment and adjustments."""
        self.dated = [*dated(claim)]
        for line in claim.kids:
            svc = line.segs[0]
            taken = adjustments(line)
            self.known = self.known and taken.known
            self.entries += taken.entries
            self.adjusted += taken.total
            self.dated += dated(line)
            self.lines.append((svc, amount(svc, 2), amount(svc, 3), taken.total if taken.known else None))
        self.lines_charge = _sum([line[1] for line in self.lines])
        """The sum of the lines' charges."""
        self.lines_paid = _sum([line[2] for line in self.lines])
        """The sum of the lines' payments."""


def _sum(amounts: list[int | None]) -> int | None:
    """The sum, if there is any amount and each is known."""
    known = [value for value in amounts if value is not None]
    return sum(known) if known and len(known) == len(amounts) else None


def sums(claim: Part) -> Sums:
    """The claim's amounts."""
    if claim.memo is None:
        claim.memo = Sums(claim)
    found: Sums = claim.memo
    return found
