"""What a claim of an 837 bills, read once for all its rules."""

from libs.x12.parts import Part, Seg, Tx, at
from libs.x12.rules.values import Span, amount, dated

#: A segment, the position of its amount, and the amount; None for what is malformed.
Amount = tuple[Seg | None, int, int | None]


class Bill:
    """The charges, codes and days of a claim and its lines."""

    __slots__ = ("charge", "charges", "clm", "codes", "decided", "first_served", "lines", "number", "place", "served")

    def __init__(self, claim: Part, mark: str) -> None:
        self.clm = claim.first("CLM")
        self.number = at(self.clm, 1)
        self.charge = amount(self.clm, 2)
        self.place = at(self.clm, 5).partition(mark)[0]
        """CLM05-1."""
        self.lines = claim.loops("2400")
        self.charges: list[Amount] = []
        self.served: list[Span] = []
        """The days of service of all lines."""
        self.decided: list[Part] = []
        """The lines that a prior payer has decided about."""
        for line in self.lines:
            seg, position = service(line)
            self.charges.append((seg, position, amount(seg, position)))
            for qualifier, first, last, dtp in dated(line):
                if qualifier == "472":
                    self.served.append((first, last, dtp))
            if "2430" in line.kinds:
                self.decided.append(line)
        self.first_served = min([first for first, _, _ in self.served], default="")
        self.codes = [
            (text.partition(mark)[0], seg, place) for seg in claim.all("HI") for place, text in enumerate(seg[0][1:], 1)
        ]
        """The qualifier of each code in its HI segments, the segment and the position."""


def bill(claim: Part, tx: Tx) -> Bill:
    """The claim's bill, worked out once."""
    if claim.memo is None:
        claim.memo = Bill(claim, tx.component or ":")
    found: Bill = claim.memo
    return found


def service(line: Part) -> tuple[Seg | None, int]:
    """The line's service segment, and the position of its charge."""
    seg = line.first("SV1")
    return (seg, 2) if seg else (line.first("SV2"), 3)


def number(claim: Part) -> str:
    """CLM01."""
    return claim.value("CLM", 1)
