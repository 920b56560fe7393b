"""Rules of the 837 about what ailed the patient: diagnoses and their pointers, accidents, admission."""

import re

from libs.x12.convert import Remembered
from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.bill import bill, number
from libs.x12.rules.claim import BOTH, P
from libs.x12.rules.values import days


def _highest(text: str) -> int:
    """The highest of a line's pointers; more than there can be if one is there twice."""
    found = re.findall("[0-9]+", text)
    return max(map(int, found)) if len({*found}) == len(found) else 99


#: Pointers that were met, and the highest of them.
HIGHEST = Remembered(_highest)


@rule(
    "DIAGNOSIS_POINTER",
    sets=P,
    loop="2300",
    level=4,
    source="837P, note on SV107",
    advice="Point to a diagnosis of the claim.",
    x12="7",
    kept="max(map(HIGHEST.__getitem__, {2400:SV107}), default=0) <= {HI*ABK}.count(star + 'AB')",
)
def pointers(claim: Part, tx: Tx) -> Places:
    """SV107 points to diagnoses that the claim has, each once."""
    known = bill(claim, tx)
    count = len([kind for kind, _, _ in known.codes if kind in ("ABK", "ABF", "BK", "BF")])
    for seg, _, _ in known.charges:
        if seg is None or seg[0][0] != "SV1":
            continue
        texts = at(seg, 7).split(tx.component) if tx.component else [at(seg, 7)]
        for place, text in enumerate(texts, 1):
            if text.isdigit() and int(text) > count:
                said = f"SV107-{place} points to diagnosis {text}, the claim has {count}"
                yield Place(seg, said, 7, place, text, claim=number(claim))
            elif place > 1 and text and text in texts[: place - 1]:
                said = f"SV107-{place} points to diagnosis {text} a second time"
                yield Place(seg, said, 7, place, text, claim=number(claim), code="DIAGNOSIS_POINTER_TWICE")


@rule(
    "ACCIDENT",
    sets=P,
    loop="2300",
    level=4,
    source="837P, notes on CLM11 and DTP*439",
    advice="Send the accident's date, and the state of a car accident.",
    x12="I6",
    kept="not {CLM11}",
)
def accident(claim: Part, tx: Tx) -> Places:
    """A claim about an accident has its date; a car accident its state too."""
    clm = claim.first("CLM")
    parts = at(clm, 11).split(tx.component) if at(clm, 11) and tx.component else []
    if not parts:
        return
    if clm and {"AA", "OA"} & set(parts[:3]) and not claim.first("DTP", "439"):
        yield Place(
            clm,
            "CLM11 says that there was an accident, but DTP*439 does not say when",
            11,
            value=at(clm, 11),
            claim=number(claim),
        )
    if clm and "AA" in parts[:3] and not (len(parts) > 3 and parts[3]) and not (len(parts) > 4 and parts[4]):
        yield Place(clm, "CLM11-4: a car accident needs its state", 11, 4, claim=number(claim), code="ACCIDENT_STATE")


@rule(
    "ADMISSION_DATE",
    sets=P,
    loop="2300",
    level=4,
    source="837P, note on DTP*435",
    advice="Send the date of admission.",
    x12="I6",
    kept='{CLM05-1} not in ("21", "51") or {DTP03*435}',
)
def admission(claim: Part, tx: Tx) -> Places:
    """Inpatient places of service (21, 51) need the date of admission."""
    clm, place = bill(claim, tx).clm, bill(claim, tx).place
    if clm and place in ("21", "51") and not claim.first("DTP", "435"):
        yield Place(
            clm, f"Place of service {place} needs the date of admission (DTP*435)", 5, 1, place, claim=number(claim)
        )


@rule(
    "DIAGNOSIS_MISSING",
    sets=BOTH,
    loop="2300",
    level=2,
    source="837 guides, HI",
    advice="Send the principal diagnosis first, as ABK.",
    x12="3",
    kept="{HI*ABK} and star + 'BF' not in {HI*ABK} and min({2400:DTP03*472}) >= '20151001'",
)
def principal_diagnosis(claim: Part, tx: Tx) -> Places:
    """The first diagnosis is the principal one, and only it; ICD-9 ended with September 2015."""
    known = bill(claim, tx)
    old = [entry for entry in known.codes if entry[0] in ("BK", "BF")]
    new = [entry for entry in known.codes if entry[0] in ("ABK", "ABF")]
    if old and new:
        kind, seg, place = old[0]
        yield Place(
            seg,
            f"HI{place:02d}-1: ICD-9 and ICD-10 codes in one claim",
            place,
            1,
            kind,
            code="DIAGNOSIS_VERSION",
            x12="7",
        )
    served = [first for first, _, _ in (*known.served, *days(claim, "434"))]
    if served and ((old and min(served) >= "20151001") or (new and max(served) < "20151001")):
        kind, seg, place = (old if old and min(served) >= "20151001" else new)[0]
        said = f"HI{place:02d}-1: {kind} does not fit the date of service {min(served)}"
        yield Place(seg, said, place, 1, kind, code="DIAGNOSIS_VERSION", x12="7")
