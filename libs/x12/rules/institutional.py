"""Rules of the 837I: who attends, how a stay begins and ends, codes of the bill."""

import re
from datetime import timedelta

from libs.x12 import convert
from libs.x12.elements import is_date
from libs.x12.parts import Part, Place, Places, Seg, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.bill import bill, number
from libs.x12.rules.claim import I
from libs.x12.rules.values import days

#: Bill types of stays that are paid for as such: hospital, swing beds, skilled nursing.
INPATIENT = frozenset(["11", "18", "21"])
ROOM = re.compile(r"0(1\d|20|21)\d")
#: Qualifier of HI to the form of its code, and what the code is called.
FORMS = {
    "BBR": (re.compile(r"[0-9A-HJ-NP-Z]{7}"), "an ICD-10-PCS code"),
    "BBQ": (re.compile(r"[0-9A-HJ-NP-Z]{7}"), "an ICD-10-PCS code"),
    "DR": (re.compile(r"[0-9]{3,4}"), "a diagnosis related group"),
    **dict.fromkeys(("BI", "BH", "BE", "BG"), (re.compile(r"[0-9A-Z]{2}"), "a code of the bill (two characters)")),
}


def _bill_type(claim: Part, tx: Tx) -> tuple[str, str]:
    """The facility's type and the frequency (CLM05)."""
    parts = at(claim.first("CLM"), 5).split(tx.component) if tx.component else []
    return (parts[0] if parts else "", parts[2] if len(parts) > 2 else "")


@rule(
    "ATTENDING_MISSING",
    sets=I,
    loop="2300",
    level=4,
    source="837I (X223A3), note on loop 2310A",
    advice="Name the attending provider.",
    x12="I6",
)
def attending(claim: Part, tx: Tx) -> Places:
    """Every claim names who attends, unless it is for transport alone."""
    transport = all(at(line.first("SV2"), 1).startswith("054") for line in claim.loops("2400"))
    if not claim.loops("2310A") and not transport:
        said = f"Claim {number(claim)}: the attending provider (loop 2310A) is missing"
        yield Place(claim.head, said, segment="NM1", claim=number(claim))


@rule(
    "ADMISSION_DATE",
    sets=I,
    loop="2300",
    level=4,
    source="837I (X223A3), notes on DTP*435 and DTP*096",
    advice="Send when the stay began, and for its last bill the hour at which it ended.",
    x12="I6",
)
def stay(claim: Part, tx: Tx) -> Places:
    """A stay has its admission, and the last bill of a hospital stay the hour of discharge."""
    kind, frequency = _bill_type(claim, tx)
    if kind not in INPATIENT:
        return
    if not claim.first("DTP", "435"):
        said = f"Claim {number(claim)}: an inpatient bill needs the admission (DTP*435)"
        yield Place(claim.head, said, segment="DTP", claim=number(claim))
    if kind == "11" and frequency in ("1", "4") and not claim.first("DTP", "096") and claim.value("CL1", 3) != "30":
        said = f"Claim {number(claim)}: the last bill of a stay needs the hour of discharge (DTP*096)"
        yield Place(claim.head, said, segment="DTP", claim=number(claim), code="DISCHARGE_HOUR")


@rule(
    "DATE_ORDER",
    sets=I,
    loop="2300",
    level=4,
    source="837I (X223A3), note on DTP*434; a stay is part of its bill, and so are the three days before it",
    advice="Correct the dates.",
    x12="8",
)
def within_the_bill(claim: Part, tx: Tx) -> Places:
    """Admission, procedures and services do not follow the end of the bill; procedures and services do not precede
    its beginning, or a stay by more than three days."""
    statement = days(claim, "434")
    if not statement:
        return
    begin, end, _ = statement[0]
    admission = claim.first("DTP", "435")
    day = at(admission, 3)[:8]
    if admission and day.isdigit() and day > end:
        said = f"The admission of {day} lies after the end of the bill, {end}"
        yield Place(admission, said, 3, value=at(admission, 3), claim=number(claim))
    if _bill_type(claim, tx)[0] in INPATIENT and is_date(begin) and len(begin) == 8:
        begin = f"{convert.day(min(begin, day) if is_date(day) else begin) - timedelta(3):%Y%m%d}"
    for seg, position, parts in _composites(claim, tx):
        if parts[0] not in ("BBR", "BBQ", "BR", "BQ", "CAH") or len(parts) < 4 or not is_date(parts[3]):
            continue
        if not begin <= parts[3] <= end:
            where = f"after the end of the bill, {end}" if parts[3] > end else f"before {begin}"
            said = f"HI{position:02d}-4: the procedure of {parts[3]} lies {where}"
            yield Place(seg, said, position, 4, parts[3], claim=number(claim))
    for first, _, seg in bill(claim, tx).served:
        if first < begin:
            said = (
                f"The service of {first} lies before the beginning of the bill, or too long before the stay ({begin})"
            )
            yield Place(seg, said, 3, value=at(seg, 3), claim=number(claim))


def _composites(claim: Part, tx: Tx) -> list[tuple[Seg, int, list[str]]]:
    """The parts of each code of the claim's HI segments."""
    mark = tx.component or ":"
    return [
        (seg, position, text.split(mark))
        for seg in claim.all("HI")
        for position, text in enumerate(seg[0][1:], 1)
        if text
    ]


@rule(
    "BILL_CODE",
    sets=I,
    loop="2300",
    level=5,
    source="NUBC and ICD-10-PCS, forms of the codes",
    advice="Send the code as its list has it.",
    x12="7",
)
def bill_codes(claim: Part, tx: Tx) -> Places:
    """Procedure, occurrence, value and condition codes have their forms."""
    for seg, position, parts in _composites(claim, tx):
        form, name = FORMS.get(parts[0], (None, ""))
        if form and len(parts) > 1 and parts[1] and not form.fullmatch(parts[1]):
            said = f"HI{position:02d}-2 {parts[1]!r} has not the form of {name}"
            yield Place(seg, said, position, 2, parts[1], claim=number(claim))


@rule(
    "ACCOMMODATION_DAYS",
    sets=I,
    loop="2400",
    level=5,
    severity="warning",
    source="NUBC, revenue codes 010x to 021x; 837I (X223A3), SV204",
    advice="Count the days of the room (SV204 DA).",
    x12="7",
)
def accommodation_days(line: Part, tx: Tx) -> Places:
    """A room is billed by its days."""
    service = line.first("SV2")
    if ROOM.fullmatch(at(service, 1)) and at(service, 4) not in ("DA", "") and service:
        said = f"SV204 {at(service, 4)}: the room of revenue code {at(service, 1)} is counted in days"
        yield Place(service, said, 4, value=at(service, 4))
