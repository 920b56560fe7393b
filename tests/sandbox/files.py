"""Files as a submitter would write them, segment by segment; nothing of ours reads or writes X12 here."""

from collections.abc import Iterable
from dataclasses import dataclass, field

SUBMITTER = "BRIGHTMINDS"
BILLING_NPI, RENDERING_NPI, NOT_LOADED_NPI = "1234567893", "1555667785", "1999999984"
PAYER_NAMES = {
    "MRDN1": "MERIDIAN HEALTH PPO",
    "HRBBH": "HARBOR BEHAVIORAL",
    "BLBNT": "BLUEBONNET COMMUNITY PLAN",
    "04412": "MEDICARE PART B",
    "SUMMT": "SUMMIT ASSIST AND HEALTH",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    code: str = "90834"
    modifiers: tuple[str, ...] = ()
    charge: str = "135"
    units: str = "1"
    date: str = "20261005"
    number: str = "L1"
    pointers: str = "1"
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Claim:
    pcn: str = "PCN1"
    payer: str = "HRBBH"
    member_id: str = "W000000001"
    last: str = "DOE"
    first: str = "PAT"
    born: str = "19800101"
    charge: str | None = None
    place: str = "11"
    frequency: str = "1"
    original: str = ""
    authorization: str = ""
    diagnoses: tuple[str, ...] = ("F411",)
    rendering: str = RENDERING_NPI
    taxonomy: str = "103TC0700X"
    billing_npi: str = BILLING_NPI
    billing_taxonomy: str = "261QM0801X"
    zip: str = "787011234"
    street: str = "100 MAIN ST"
    sequence: str = "P"
    extra: tuple[str, ...] = ()
    lines: tuple[Line, ...] = field(default=(Line(),))

    @property
    def total(self) -> str:
        return self.charge or f"{sum(float(line.charge) for line in self.lines):.2f}".removesuffix(".00")


def an_837(*claims: Claim, control: int = 1, batch: str = "B000001", sender: str = SUBMITTER, ta1: str = "0") -> bytes:
    """One interchange with one set; each claim has its own provider and subscriber loops."""
    body = [
        f"BHT*0019*00*{batch}*20261005*1800*CH",
        "NM1*41*2*BRIGHT MINDS BILLING*****46*123456789",
        "PER*IC*JANE ROE*TE*5125550100",
        "NM1*40*2*PARITY CLEARINGHOUSE*****46*PARITYCH",
    ]
    level = 0
    for claim in claims:
        body += _levels(claim, level)
        level += 2
        body += _claim(claim)
    return envelope(body, "837", "005010X222A1", "HC", control=control, sender=sender, ta1=ta1)


def _levels(claim: Claim, level: int) -> Iterable[str]:
    taxonomy = [f"PRV*BI*PXC*{claim.billing_taxonomy}"] if claim.billing_taxonomy else []
    return [
        f"HL*{level + 1}**20*1",
        *taxonomy,
        f"NM1*85*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*{claim.billing_npi}",
        f"N3*{claim.street}",
        f"N4*AUSTIN*TX*{claim.zip}",
        "REF*EI*741234567",
        f"HL*{level + 2}*{level + 1}*22*0",
        f"SBR*{claim.sequence}*18*******CI",
        f"NM1*IL*1*{claim.last}*{claim.first}****MI*{claim.member_id}",
        "N3*12 OAK AVE",
        "N4*AUSTIN*TX*787040000",
        f"DMG*D8*{claim.born}*F",
        f"NM1*PR*2*{PAYER_NAMES.get(claim.payer, 'SOMEBODY')}*****PI*{claim.payer}",
    ]


def _claim(claim: Claim) -> Iterable[str]:
    taxonomy = [f"PRV*PE*PXC*{claim.taxonomy}"] if claim.taxonomy else []
    yield f"CLM*{claim.pcn}*{claim.total}***{claim.place}:B:{claim.frequency}*Y*A*Y*Y"
    if claim.authorization:
        yield f"REF*G1*{claim.authorization}"
    if claim.original:
        yield f"REF*F8*{claim.original}"
    yield "HI*" + "*".join(f"{'ABK' if i == 0 else 'ABF'}:{code}" for i, code in enumerate(claim.diagnoses))
    yield f"NM1*82*1*SMITH*ALEX****XX*{claim.rendering}"
    yield from taxonomy
    yield from claim.extra
    for number, line in enumerate(claim.lines, start=1):
        yield f"LX*{number}"
        yield f"SV1*{':'.join(('HC', line.code, *line.modifiers))}*{line.charge}*UN*{line.units}***{line.pointers}"
        yield f"DTP*472*D8*{line.date}"
        yield f"REF*6R*{line.number}"
        yield from line.extra


def a_270(
    *,
    payer: str = "HRBBH",
    member_id: str = "W000000001",
    last: str = "DOE",
    first: str = "PAT",
    born: str = "19800101",
    npi: str = BILLING_NPI,
    on: str = "20261005",
    types: str = "30^MH",
    control: int = 1,
) -> bytes:
    body = [
        "BHT*0022*13*REQ0001*20261005*0900",
        "HL*1**20*1",
        f"NM1*PR*2*{PAYER_NAMES.get(payer, 'SOMEBODY')}*****PI*{payer}",
        "HL*2*1*21*1",
        f"NM1*1P*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*{npi}",
        "HL*3*2*22*0",
        "TRN*1*REQ0001*9BRIGHTMND",
        f"NM1*IL*1*{last}*{first}****MI*{member_id}",
        f"DMG*D8*{born}",
        f"DTP*291*D8*{on}",
        f"EQ*{types}",
    ]
    return envelope(body, "270", "005010X279A1", "HS", control=control)


def envelope(
    body: Iterable[str],
    kind: str,
    version: str,
    group: str,
    *,
    control: int = 1,
    sender: str = SUBMITTER,
    ta1: str = "0",
    usage: str = "P",
) -> bytes:
    segments = [f"ST*{kind}*0001*{version}", *body]
    segments.append(f"SE*{len(segments) + 1}*0001")
    number = f"{control:09d}"
    head = [
        f"ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*PARITYCH       *261005*1800*^*00501*{number}*{ta1}"
        f"*{usage}*:",
        f"GS*{group}*{sender}*PARITYCH*20261005*1800*{control}*X*{version}",
    ]
    return "".join(f"{segment}~\n" for segment in [*head, *segments, f"GE*1*{control}", f"IEA*1*{number}"]).encode()


def segments(body: bytes) -> list[str]:
    """The segments of an answer as text, without terminators."""
    return [piece.strip() for piece in body.decode().split("~") if piece.strip()]


def said(body: bytes, *beginnings: str) -> list[str]:
    """The segments that begin so, in the order of the file."""
    return [segment for segment in segments(body) if segment.startswith(beginnings)]
