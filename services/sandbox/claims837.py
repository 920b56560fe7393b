"""An 837P as the payer's intake sees it: one flat claim each, with all that adjudication asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from services.sandbox.segments import Segment, TransactionSet, element


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A name with its number: member id, NPI or payer id."""

    last: str = ""
    first: str = ""
    id: str = ""
    born: date | None = None
    taxonomy: str = ""
    organisation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """Group, reason, cents and units of a CAS triplet."""

    group: str
    reason: str
    cents: int
    units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorLine:
    """What an earlier payer did with a line (2430)."""

    payer: str
    paid_cents: int
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One service line."""

    number: int
    code: str
    modifiers: tuple[str, ...]
    charge_cents: int
    units: int
    pointers: tuple[int, ...]
    date: date
    control_number: str = ""
    place: str = ""
    authorization: str = ""
    rendering_npi: str = ""
    prior: tuple[PriorLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One CLM with its context."""

    pcn: str
    charge_cents: int
    place: str
    frequency: str
    assignment: str
    billing: Person
    billing_tax_id: str
    billing_address: tuple[str, str, str, str]
    """Street, city, state, ZIP."""
    subscriber: Person
    patient: Person
    payer: Person
    sequence: str = "P"
    filing_code: str = ""
    original_reference: str = ""
    authorization: str = ""
    diagnoses: tuple[str, ...] = ()
    rendering: Person
    supervising_npi: str = ""
    prior_payer: str = ""
    prior_paid_cents: int = 0
    lines: tuple[Line, ...] = ()

    @property
    def service_from(self) -> date:
        return min(line.date for line in self.lines)

    def rendering_npi(self, line: Line) -> str:
        return line.rendering_npi or self.rendering.id


@dataclass(slots=True)
class _Loop:
    """The segments of one loop, and the loops under it."""

    segments: list[Segment]
    loops: list["_Loop"] = field(default_factory=list)

    def first(self, name: str, *qualifiers: str) -> Segment:
        """The first such segment, or an empty one."""
        for segment in self.segments:
            if segment[0] == name and (not qualifiers or element(segment, 1).split(":")[0] in qualifiers):
                return segment
        return (name,)

    def named(self, *codes: str) -> "_Loop":
        """The loop under this one whose NM101 is one of these, or an empty loop."""
        found = (loop for loop in self.loops if loop.segments[0][0] == "NM1" and element(loop.segments[0], 1) in codes)
        return next(found, _Loop([("NM1",)]))


def read_claims(transaction: TransactionSet) -> tuple[Claim, ...]:
    """The claims of a set that passed its guide, in the order of the file."""
    return tuple(_claims(transaction.segments))


def submitter(transaction: TransactionSet) -> tuple[str, str, str]:
    """Submitter's name and id, and the batch reference (BHT03)."""
    names = next(s for s in transaction.segments if s[0] == "NM1" and element(s, 1) == "41")
    batch = next(s for s in transaction.segments if s[0] == "BHT")
    return element(names, 3), element(names, 9), element(batch, 3)


def _claims(segments: tuple[Segment, ...]) -> Iterator[Claim]:
    """Walk the levels: billing provider, subscriber, patient, claim."""
    levels: dict[str, _Loop] = {}
    current = _Loop([])
    where = current
    claim: _Loop | None = None
    for segment in segments:
        kind = segment[0]
        if kind in ("HL", "CLM", "SE"):
            if claim is not None:
                yield _claim(claim, levels)
                claim = None
            current = where = _Loop([segment])
            if kind == "HL":
                level = element(segment, 3)
                levels[level] = current
                if level in ("20", "22"):
                    levels.pop("23", None)
            elif kind == "CLM":
                claim = current
        elif kind == "LX" or (claim is not None and kind == "SBR"):
            where = _Loop([segment])
            (claim or current).loops.append(where)
        elif kind == "NM1":
            owner = _owner(claim, current, segment)
            where = _Loop([segment])
            owner.loops.append(where)
        elif kind == "SVD":
            where = _Loop([segment])
            (claim or current).loops[-1].loops.append(where)
        else:
            where.segments.append(segment)


def _owner(claim: _Loop | None, level: _Loop, segment: Segment) -> _Loop:
    """Names after an SBR or LX belong to that loop; 82, DQ, DN and 77 before them to the claim."""
    if claim is None:
        return level
    inner = [loop for loop in claim.loops if loop.segments[0][0] in ("SBR", "LX")]
    return inner[-1] if inner else claim


def _claim(loop: _Loop, levels: dict[str, _Loop]) -> Claim:
    clm = loop.segments[0]
    place, _, frequency = [*element(clm, 5).split(":"), "", "", ""][:3]
    provider, insured = levels["20"], levels["22"]
    billing = provider.named("85")
    subscriber = _person(insured.named("IL"))
    dependent = levels.get("23")
    others = [inner for inner in loop.loops if inner.segments[0][0] == "SBR"]
    prior = others[0] if others else _Loop([("SBR",)])
    lines = [inner for inner in loop.loops if inner.segments[0][0] == "LX"]
    billing_person = _person(billing, taxonomy=element(provider.first("PRV", "BI"), 3))
    rendering = loop.named("82")
    codes = [part.split(":") for s in loop.segments if s[0] == "HI" for part in s[1:]]
    return Claim(
        pcn=element(clm, 1),
        charge_cents=cents(element(clm, 2)),
        place=place,
        frequency=frequency,
        assignment=element(clm, 7),
        billing=billing_person,
        billing_tax_id=element(billing.first("REF", "EI", "SY"), 2),
        billing_address=_address(billing),
        subscriber=subscriber,
        patient=_person(dependent.named("QC")) if dependent else subscriber,
        payer=_person(insured.named("PR")),
        sequence=element(insured.first("SBR"), 1),
        filing_code=element(insured.first("SBR"), 9),
        original_reference=element(loop.first("REF", "F8"), 2),
        authorization=element(loop.first("REF", "G1"), 2),
        diagnoses=tuple(part[1] for part in codes if part[0] in ("ABK", "ABF", "BK", "BF") and len(part) > 1),
        rendering=_person(rendering) if element(rendering.segments[0], 1) else billing_person,
        supervising_npi=element(loop.named("DQ").segments[0], 9),
        prior_payer=element(prior.named("PR").segments[0], 9),
        prior_paid_cents=cents(element(prior.first("AMT", "D"), 2)),
        lines=tuple(_line(number, line) for number, line in enumerate(lines, start=1)),
    )


def _line(number: int, loop: _Loop) -> Line:
    sv1 = loop.first("SV1")
    procedure = element(sv1, 1).split(":")
    when = element(loop.first("DTP", "472"), 3).split("-")[0]
    return Line(
        number=number,
        code=procedure[1] if len(procedure) > 1 else "",
        modifiers=tuple(modifier for modifier in procedure[2:6] if modifier),
        charge_cents=cents(element(sv1, 2)),
        units=int(Decimal(element(sv1, 4) or "1")),
        pointers=tuple(int(value) for value in element(sv1, 7).split(":") if value.isdigit()),
        date=read_date(when) or date.min,
        control_number=element(loop.first("REF", "6R"), 2),
        place=element(sv1, 5),
        authorization=element(loop.first("REF", "G1"), 2),
        rendering_npi=element(loop.named("82").segments[0], 9),
        prior=tuple(_prior(inner) for inner in loop.loops if inner.segments[0][0] == "SVD"),
    )


def _prior(loop: _Loop) -> PriorLine:
    svd = loop.segments[0]
    adjustments = [
        Adjustment(group=element(cas, 1), reason=cas[at], cents=cents(element(cas, at + 1)))
        for cas in loop.segments
        if cas[0] == "CAS"
        for at in range(2, len(cas), 3)
        if cas[at]
    ]
    return PriorLine(payer=element(svd, 1), paid_cents=cents(element(svd, 2)), adjustments=tuple(adjustments))


def _person(loop: _Loop, taxonomy: str = "") -> Person:
    name = loop.segments[0]
    return Person(
        last=element(name, 3),
        first=element(name, 4),
        id=element(name, 9),
        born=read_date(element(loop.first("DMG", "D8"), 2)),
        taxonomy=taxonomy or element(loop.first("PRV", "PE"), 3),
        organisation=element(name, 2) == "2",
    )


def _address(loop: _Loop) -> tuple[str, str, str, str]:
    place = loop.first("N4")
    return element(loop.first("N3"), 1), element(place, 1), element(place, 2), element(place, 3)


def cents(text: str) -> int:
    """An X12 amount in cents; what is no amount is 0, the guide has named it already."""
    try:
        return int((Decimal(text or "0") * 100).to_integral_value())
    except InvalidOperation:
        return 0


def read_date(text: str) -> date | None:
    """CCYYMMDD as a date, or None."""
    if len(text) != 8 or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
