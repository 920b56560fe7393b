"""X12 as a payer reads and writes it: segments, delimiters, envelopes.

The sandbox has a reader and a writer of its own on purpose: a fault in `libs.x12` must not meet itself here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

Segment = tuple[str, ...]
"""`("REF", "G1", "A100")`: the id, then the elements; composites and repetitions stay text."""

ISA_LENGTH = 106
_ISA_WIDTHS = [3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 2]


class BrokenEnvelope(Exception):
    """The interchange cannot be read at all; `note` is TA105, `isa` what could be read of the header."""

    def __init__(self, note: str, isa: Segment | None = None) -> None:
        super().__init__(f"TA1 note {note}")
        self.note = note
        self.isa = isa


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionSet:
    """ST to SE, both included."""

    segments: tuple[Segment, ...]
    closed: bool = True

    @property
    def kind(self) -> str:
        return element(self.segments[0], 1)

    @property
    def control(self) -> str:
        return element(self.segments[0], 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """GS to GE."""

    header: Segment
    trailer: Segment | None
    sets: tuple[TransactionSet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interchange:
    """One ISA to IEA."""

    isa: Segment
    groups: tuple[Group, ...]

    @property
    def sender(self) -> str:
        return self.isa[6].strip()

    @property
    def receiver(self) -> str:
        return self.isa[8].strip()

    @property
    def control_number(self) -> str:
        return self.isa[13]


def element(segment: Segment, position: int) -> str:
    """The element, or empty text where the segment ends before it."""
    return segment[position] if position < len(segment) else ""


def read_interchange(data: bytes) -> Interchange:
    """The one interchange of the file, or BrokenEnvelope with the note that a TA1 would carry."""
    text = data.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    if not text.startswith("ISA") or len(text) < ISA_LENGTH:
        raise BrokenEnvelope("022")
    separator = text[3]
    header = text[:ISA_LENGTH].split(separator)
    if [len(value) for value in header] != _ISA_WIDTHS:
        raise BrokenEnvelope("022")
    component, terminator = header[16][0], header[16][1]
    isa = (*header[:16], component)
    pieces = [piece.strip("\r\n") for piece in text.split(terminator)]
    usual = _usual_delimiters(component, isa[11])
    segments = [tuple(value.translate(usual) for value in piece.split(separator)) for piece in pieces if piece.strip()]
    segments[0] = isa
    _check_trailer(isa, segments)
    return Interchange(isa=isa, groups=_groups(segments[1:-1], isa))


def _usual_delimiters(component: str, repetition: str) -> dict[int, str]:
    """Whatever an ISA announced, the rest of the sandbox sees `:` between components and `^` between repetitions."""
    table = {ord(":"): " ", ord("^"): " "}
    return table | {ord(repetition): "^", ord(component): ":"}


def _check_trailer(isa: Segment, segments: list[Segment]) -> None:
    trailer = segments[-1]
    if trailer[0] != "IEA":
        raise BrokenEnvelope("023", isa)
    if element(trailer, 2) != isa[13]:
        raise BrokenEnvelope("001", isa)
    count = sum(1 for segment in segments if segment[0] == "GS")
    if element(trailer, 1) != str(count):
        raise BrokenEnvelope("021", isa)


def _groups(segments: Sequence[Segment], isa: Segment) -> tuple[Group, ...]:
    groups: list[Group] = []
    sets: list[TransactionSet] = []
    header: Segment | None = None
    current: list[Segment] | None = None
    for segment in segments:
        match segment[0]:
            case "GS" if header is None:
                header, sets, current = segment, [], None
            case "GE" if header is not None:
                if current is not None:
                    sets.append(TransactionSet(segments=tuple(current), closed=False))
                groups.append(Group(header=header, trailer=segment, sets=tuple(sets)))
                header, current = None, None
            case "ST" if header is not None:
                if current is not None:
                    sets.append(TransactionSet(segments=tuple(current), closed=False))
                current = [segment]
            case "SE" if current is not None:
                sets.append(TransactionSet(segments=(*current, segment)))
                current = None
            case _ if current is not None:
                current.append(segment)
            case _:
                raise BrokenEnvelope("024", isa)
    if header is not None:
        raise BrokenEnvelope("024", isa)
    return tuple(groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Who writes to whom: the numbers and times of the envelope of an answer."""

    sender: str
    receiver: str
    control_number: int
    created: datetime
    functional_id: str
    version: str
    usage: str = "P"


@dataclass(slots=True)
class Writer:
    """Segments in, one interchange out; counts and trailers are the writer's business."""

    header: Header
    segments: list[Segment] = field(default_factory=list)
    _sets: list[int] = field(default_factory=list)

    def begin(self, kind: str, *, versioned: bool = True) -> None:
        """A transaction set begins; an 835 has no ST03 (`versioned=False`)."""
        self._sets.append(len(self.segments))
        number = f"{len(self._sets):04d}"
        self.add("ST", kind, number, self.header.version if versioned else "")

    def add(self, *elements: str) -> None:
        """One more segment; empty elements at its end are left out."""
        cleaned = [clean(value) for value in elements]
        while cleaned and cleaned[-1] == "":
            cleaned.pop()
        self.segments.append(tuple(cleaned))

    def end(self) -> None:
        """The set is closed with its own count of segments."""
        first = self._sets[-1]
        self.add("SE", str(len(self.segments) - first + 1), self.segments[first][2])

    def bytes(self) -> bytes:
        """The whole interchange."""
        head = self.header
        group = str(head.control_number)
        gs = (
            "GS", head.functional_id, head.sender, head.receiver, day(head.created), f"{head.created:%H%M}",
            group, "X", head.version,
        )  # fmt: skip
        number = f"{head.control_number:09d}"
        trailers = [("GE", str(len(self._sets)), group), ("IEA", "1", number)]
        return text([isa(head), gs, *self.segments, *trailers]).encode()


def isa(header: Header) -> Segment:
    """The interchange header, fixed in width as the standard wants it."""
    return (
        "ISA", "00", " " * 10, "00", " " * 10, "ZZ", f"{header.sender:<15}", "ZZ", f"{header.receiver:<15}",
        f"{header.created:%y%m%d}", f"{header.created:%H%M}", "^", "00501", f"{header.control_number:09d}", "0",
        header.usage, ":",
    )  # fmt: skip


def without_group(header: Header, segment: Segment) -> bytes:
    """An interchange of one bare segment: a TA1 has no functional group."""
    return text([isa(header), segment, ("IEA", "0", f"{header.control_number:09d}")]).encode()


def text(segments: Iterable[Segment]) -> str:
    """The segments as they travel, one to a line so that people can read them."""
    return "".join("*".join(segment) + "~\n" for segment in segments)


def clean(value: str) -> str:
    """The value without what would cut a segment; composites use `:` knowingly and keep it."""
    return value.replace("~", " ").replace("*", " ").replace("\n", " ")


def plain(value: str) -> str:
    """Free text for one element: no delimiter of any kind, upper case, as payers print."""
    return clean(value).replace(":", " ").replace("^", " ").upper().strip()


def day(value: date | datetime) -> str:
    """CCYYMMDD."""
    return f"{value:%Y%m%d}"


def money(amount_cents: int) -> str:
    """An amount as X12 writes it: 135, 78.4, -0.05."""
    sign = "-" if amount_cents < 0 else ""
    whole, rest = divmod(abs(amount_cents), 100)
    return f"{sign}{whole}" + (f".{rest:02d}".rstrip("0") if rest else "")
