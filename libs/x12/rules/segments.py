"""Rules that a segment keeps wherever it stands: identifiers with check digits, forms of outside code sets."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from libs.x12.grammar import Node
from libs.x12.parts import Place, Seg, Tx, at
from libs.x12.rules import Rule

Body = Callable[[Seg, Tx | None], Iterator[Place]]
#: Segment id to the rules for every segment of that id.
SEGMENTS: dict[str, list[Any]] = {}

TAXONOMY = re.compile(r"[0-9]{3}[0-9A-Z]{6}X")
CANADIAN = re.compile(r"[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]")


class Entry:
    """A rule about single segments: callable, with its description."""

    def __init__(
        self,
        body: Body,
        rule: Rule,
        only: tuple[int, str],
        lacks: tuple[int, ...],
        reads: tuple[int, ...],
        form: dict[int, str],
    ) -> None:
        self.body = body
        self.rule = rule
        self.position, values = only
        self.only = frozenset(values.split())
        self.lacks = lacks
        self.reads = reads
        self.form = form

    @property
    def settled(self) -> bool:
        """Whether a segment keeps it can be seen from the form of its elements, or from a condition."""
        return bool(self.form or self.lacks or self.rule.kept)

    def concerns(self, node: Node) -> bool:
        """It can be broken by a segment there whose elements are as the guide has them."""
        if not self.position:
            return True
        if self.position > len(node.elements):
            return False
        element = node.elements[self.position - 1]
        return element.usage != "N" and (not element.codes or bool(element.list_name or self.only & {*element.codes}))

    def __call__(self, seg: Seg, tx: Tx | None) -> Iterator[Place]:
        return self.body(seg, tx)


def segment_rule(
    code: str,
    *,
    segments: str,
    level: int,
    source: str,
    advice: str,
    x12: str = "",
    only: tuple[int, str] = (0, ""),
    lacks: tuple[int, ...] = (),
    reads: tuple[int, ...] = (),
    form: dict[int, str] | None = None,
    kept: str = "",
) -> Callable[[Body], Body]:
    """Register a rule for every segment of these ids.

    `only` says that a segment whose element at that position has none of the values keeps the rule; `lacks`, that one
    that lacks none of these elements does; `reads` are the elements that the rule looks at, if it looks at nothing
    else: segments alike in these keep it or break it alike. `form` are expressions of elements with which a segment
    keeps it, as it does if they are empty; `kept` is a condition under which it does (see `rules.rule`)."""

    def register(body: Body) -> Body:
        entry = Entry(
            body,
            Rule(code, level, body, source, advice, "error", x12, (body.__doc__ or "").strip(), kept=kept),
            only,
            lacks,
            reads,
            form or {},
        )
        for name in segments.split():
            SEGMENTS.setdefault(name, []).append(entry)
        return body

    return register


#: A digit to the digit sum of its double.
_DOUBLED = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))


def luhn_npi(text: str) -> bool:
    """Ten digits whose last one checks the others behind the prefix 80840."""
    if len(text) != 10 or not text.isdigit() or not text.isascii():
        return False
    return (24 + sum(map(int, text[1::2])) + sum(map(_DOUBLED.__getitem__, text[::2]))) % 10 == 0


def routing_number(text: str) -> bool:
    """Nine digits weighed 3, 7, 1."""
    if len(text) != 9 or not text.isdigit() or not text.isascii():
        return False
    return sum(int(d) * w for d, w in zip(text, (3, 7, 1) * 3, strict=True)) % 10 == 0


@segment_rule(
    "NPI",
    segments="NM1",
    level=5,
    source="CMS, NPI check digit (prefix 80840)",
    advice="Correct the NPI; its last digit checks the others.",
    x12="7",
    only=(8, "XX"),
    reads=(8, 9),
)
def npi_of_a_party(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """An NPI has ten digits, the last one a check digit."""
    if at(seg, 8) == "XX" and not luhn_npi(at(seg, 9)) and at(seg, 9):
        yield Place(seg, f"NM109 {at(seg, 9)!r} is not a valid NPI", 9, value=at(seg, 9))


@segment_rule(
    "NPI",
    segments="N1",
    level=5,
    source="CMS, NPI check digit (prefix 80840)",
    advice="Correct the NPI; its last digit checks the others.",
    x12="7",
    only=(3, "XX"),
    reads=(3, 4),
)
def npi_of_a_payee(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """An NPI has ten digits, the last one a check digit."""
    if at(seg, 3) == "XX" and not luhn_npi(at(seg, 4)) and at(seg, 4):
        yield Place(seg, f"N104 {at(seg, 4)!r} is not a valid NPI", 4, value=at(seg, 4))


@segment_rule(
    "PERSON_NAME",
    segments="NM1",
    level=4,
    source="Guides' notes on NM104",
    advice="Send a first name for persons only.",
    x12="I10",
    only=(2, "2"),
    form={4: ""},
)
def organisation_has_no_first_name(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """An organisation has no first name."""
    if at(seg, 2) == "2" and at(seg, 4):
        yield Place(seg, "NM104: an organisation (NM102 2) has no first name", 4, value=at(seg, 4))


@segment_rule(
    "TAX_ID",
    segments="REF",
    level=5,
    source="IRS, form of an EIN; SSA, form of an SSN",
    advice="Send nine digits without hyphens.",
    x12="7",
    only=(1, "EI SY TJ"),
    form={2: "[0-9]{9}"},
)
def nine_digits(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """Employer ids and social security numbers have nine digits."""
    if at(seg, 1) in ("EI", "SY", "TJ") and at(seg, 2):
        text = at(seg, 2)
        if not (len(text) == 9 and text.isdigit()):
            yield Place(seg, f"REF02 must have nine digits: {text!r}", 2, value=text)


@segment_rule(
    "POSTAL_CODE",
    segments="N4",
    level=5,
    source="USPS; guides' notes on N403",
    advice="Send five or nine digits without a hyphen.",
    x12="7",
    reads=(3, 4),
    form={3: "(?:[0-9]{5}|[0-9]{9})"},
)
def american_zip(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """A ZIP code has five or nine digits."""
    text = at(seg, 3)
    if not text or (text.isdigit() and len(text) in (5, 9)):
        return
    if at(seg, 4) in ("", "US") and not CANADIAN.fullmatch(text):
        yield Place(seg, f"N403 {text!r} is not a ZIP code", 3, value=text)


@segment_rule(
    "ADDRESS_INCOMPLETE",
    segments="N4",
    level=4,
    source="Guides' notes on N402 and N403",
    advice="Send state and ZIP code of an address in the United States.",
    x12="I6",
    lacks=(2, 3),
    reads=(1, 2, 3, 4, 7),
)
def american_address(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """An address in the United States has a state and a ZIP code."""
    if at(seg, 4) in ("", "US", "CA") and at(seg, 1) and not at(seg, 7):
        for position, name in ((2, "state"), (3, "ZIP code")):
            if not at(seg, position):
                yield Place(seg, f"N4{position:02d}: an address in the United States needs its {name}", position)


@segment_rule(
    "TAXONOMY",
    segments="PRV",
    level=5,
    source="NUCC, form of a taxonomy code",
    advice="Send the ten characters of the taxonomy code.",
    x12="7",
    only=(2, "PXC"),
    reads=(2, 3),
)
def taxonomy_form(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """A taxonomy code has ten characters and ends with X."""
    if at(seg, 2) == "PXC" and at(seg, 3) and not TAXONOMY.fullmatch(at(seg, 3)):
        yield Place(seg, f"PRV03 {at(seg, 3)!r} is not a taxonomy code", 3, value=at(seg, 3))


@segment_rule(
    "DATE_IN_FUTURE",
    segments="DMG",
    level=4,
    source="A birth lies in the past",
    advice="Correct the birth date.",
    x12="8",
    kept="{DMG02} <= tx.today",
)
def born_in_the_past(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """A birth date does not lie in the future."""
    text = at(seg, 2)
    if tx and text > tx.today and len(text) == 8:
        yield Place(seg, f"DMG02 {text} lies in the future", 2, value=text)


@segment_rule(
    "CONTACT_NUMBER",
    segments="PER",
    level=5,
    source="Guides' notes on PER04",
    advice="Send ten digits, or an address with @.",
    x12="7",
)
def contact_form(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """A telephone number has ten digits, an e-mail address an @; an extension follows a telephone number."""
    for position in (3, 5, 7):
        kind, text = at(seg, position), at(seg, position + 1)
        if kind in ("TE", "FX") and text and not (text.isdigit() and len(text) >= 10):
            yield Place(
                seg, f"PER{position + 1:02d} {text!r} is not a telephone number of ten digits", position + 1, value=text
            )
        if kind == "EM" and text and "@" not in text:
            yield Place(seg, f"PER{position + 1:02d} {text!r} is not an e-mail address", position + 1, value=text)
