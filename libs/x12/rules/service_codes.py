"""Rules that a segment keeps wherever it stands: forms of diagnoses, procedures, modifiers and revenue codes."""

import re
from collections.abc import Iterator

from libs.x12.parts import Place, Seg, Tx, at
from libs.x12.rules.segments import segment_rule

ICD10 = re.compile(r"[A-Z][0-9][0-9AB][0-9A-Z]{0,4}")
ICD9 = re.compile(r"[0-9V][0-9]{2,4}|E[0-9]{3,4}")
HCPCS = re.compile(r"[0-9]{4}[0-9A-Z]|[A-V][0-9]{4}")
MODIFIER = re.compile(r"[0-9A-Z]{2}")


@segment_rule(
    "DIAGNOSIS",
    segments="HI",
    level=5,
    source="ICD-10-CM, form of a code",
    advice="Send the code without its dot.",
    x12="7",
)
def diagnosis_form(seg: Seg, tx: Tx | None) -> Iterator[Place]:
    """Diagnosis codes have the form of their code set, without a dot."""
    mark = tx.component if tx else ":"
    seen: set[str] = set()
    for position, text in enumerate(seg[0][1:], 1):
        kind, _, rest = text.partition(mark) if mark else (text, "", "")
        code = rest.partition(mark)[0] if mark else rest
        form = ICD10 if kind in ("ABK", "ABF", "ABJ", "ABN", "APR") else ICD9 if kind in ("BK", "BF") else None
        if form and code and not form.fullmatch(code):
            yield Place(seg, f"HI{position:02d}-2 {code!r} has not the form of a diagnosis code", position, 2, code)
        if kind in ("ABK", "ABF", "BK", "BF") and code and code in seen:
            said = f"HI{position:02d}-2: the diagnosis {code!r} is there twice"
            yield Place(seg, said, position, 2, code, code="DIAGNOSIS_TWICE")
        seen.add(code)


def _procedure(seg: Seg, position: int, tx: Tx | None) -> Iterator[Place]:
    """The procedure and modifiers of a composite have their forms."""
    mark = tx.component if tx else ":"
    parts = at(seg, position).split(mark) if mark else []
    if len(parts) < 2:
        return
    name = f"{seg[0][0]}{position:02d}"
    if parts[0] == "HC" and parts[1] and not HCPCS.fullmatch(parts[1]):
        yield Place(seg, f"{name}-2 {parts[1]!r} has not the form of a procedure code", position, 2, parts[1])
    if parts[0] in ("N4",) and parts[1] and not (parts[1].isdigit() and len(parts[1]) == 11):
        yield Place(seg, f"{name}-2 {parts[1]!r} is not an NDC of eleven digits", position, 2, parts[1])
    modifiers = [text for text in parts[2:6] if text]
    for place, text in enumerate(parts[2:6], 3):
        if text and not MODIFIER.fullmatch(text):
            said = f"{name}-{place} {text!r} has not the form of a modifier"
            yield Place(seg, said, position, place, text, code="MODIFIER")
        elif text and modifiers.count(text) > 1 and parts[2:6].index(text) + 3 != place:
            said = f"{name}-{place}: the modifier {text!r} is there twice"
            yield Place(seg, said, position, place, text, code="MODIFIER_TWICE")


def _revenue(seg: Seg, position: int) -> Iterator[Place]:
    """A revenue code has four digits, of which the first may be left out."""
    text = at(seg, position)
    if text and not (text.isdigit() and len(text) in (3, 4)):
        said = f"{seg[0][0]}{position:02d} {text!r} is not a revenue code"
        yield Place(seg, said, position, value=text, code="REVENUE_CODE")


def _service_codes(segment: str, *, procedures: tuple[int, ...], revenue: tuple[int, ...] = ()) -> None:
    """The segment has its procedures and its revenue code at these positions."""

    @segment_rule(
        "PROCEDURE",
        segments=segment,
        level=5,
        source="CPT and HCPCS, form of a code",
        advice="Send the five characters of the code.",
        x12="7",
        reads=tuple(sorted((*procedures, *revenue))),
    )
    def service_codes_form(seg: Seg, tx: Tx | None) -> Iterator[Place]:
        """Procedure codes have five characters, modifiers two, revenue codes four digits."""
        for position in procedures:
            yield from _procedure(seg, position, tx)
        for position in revenue:
            yield from _revenue(seg, position)


_service_codes("SV1", procedures=(1,))
_service_codes("SVC", procedures=(1, 6), revenue=(4,))
_service_codes("SV2", procedures=(2,), revenue=(1,))
_service_codes("SVD", procedures=(3,))
