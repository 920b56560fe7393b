"""Rules of the 837 about time: no service in the future, no discharge before the admission."""

from libs.x12.codes import code_list
from libs.x12.convert import day
from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.bill import bill, number
from libs.x12.rules.claim import BOTH
from libs.x12.rules.values import days


@rule(
    "DATE_IN_FUTURE",
    sets=BOTH,
    loop="2300",
    level=4,
    source="A claim follows its service",
    advice="Correct the date.",
    x12="8",
    kept="max({DTP03*431}, {DTP03*439}, {DTP03*484}, {DTP03*304}, {DTP03*454}, {DTP03*453}) <= tx.today "
    "and max({2400:DTP03*472}, default='') <= tx.today",
)
def dates_in_future(claim: Part, tx: Tx) -> Places:
    """No service lies after the day of the file."""
    own = days(claim, "431", "439", "484", "304", "454", "453", "434")
    for _, last, seg in (*own, *bill(claim, tx).served):
        if last > tx.today:
            said = f"DTP03 {at(seg, 3)} lies after the day of the file"
            yield Place(seg, said, 3, value=at(seg, 3), claim=number(claim))


@rule(
    "DATE_ORDER",
    sets=BOTH,
    loop="2300",
    level=4,
    source="A stay ends after it began; services lie within life and stay",
    advice="Correct the dates.",
    x12="8",
    kept="not ({DTP03*096} or {DTP03*361} or {DTP03*091} or {DTP03*296}) "
    "and ({2010CA:DMG02} or {2010BA:DMG02}) <= min({2400:DTP03*472})",
)
def dates_in_order(claim: Part, tx: Tx) -> Places:
    """Discharge follows admission, service follows birth."""
    admitted, discharged = days(claim, "435"), days(claim, "096")
    if admitted and discharged and discharged[0][0] < admitted[0][0]:
        seg = discharged[0][2]
        yield Place(
            seg,
            f"The discharge {discharged[0][0]} lies before the admission {admitted[0][0]}",
            3,
            value=at(seg, 3),
            claim=number(claim),
        )
    known = bill(claim, tx)
    born = _birth(claim)
    for first, _, seg in known.served if known.first_served < born else ():
        if first < born:
            said = f"The service of {first} lies before the patient's birth"
            yield Place(seg, said, 3, value=at(seg, 3), claim=number(claim))
    if "DTP" not in claim.ids:
        return
    for begin, end in (("360", "361"), ("090", "091"), ("297", "296")):
        one, two = days(claim, begin), days(claim, end)
        if one and two and two[0][0] < one[0][0]:
            yield Place(two[0][2], f"DTP*{end} lies before DTP*{begin}", 3, value=at(two[0][2], 3), claim=number(claim))


def _birth(claim: Part) -> str:
    """The patient's birth date."""
    patient = claim.up("2000C")
    people = patient.loops("2010CA") if patient else []
    if not people:
        subscriber = claim.up("2000B")
        people = subscriber.loops("2010BA") if subscriber else []
    text = people[0].value("DMG", 2) if people else ""
    return text if len(text) == 8 and text.isdigit() else ""


#: Places of service, of which some began at a time.
DATED = code_list("pos")


@rule(
    "CODE_DATE",
    sets="837P",
    loop="2300",
    level=5,
    severity="warning",
    source="CMS, places of service, with their effective dates",
    advice="Send a code that was valid on the day of service.",
    x12="7",
    kept="{CLM05-1} not in DATED.spans or DATED.valid_on({CLM05-1}, day(min({2400:DTP03*472})))",
)
def place_of_service_was_valid(claim: Part, tx: Tx) -> Places:
    """A place of service was in the list on the day of service."""
    known = bill(claim, tx)
    code, served = known.place, known.first_served
    if known.clm and served and code in DATED.spans and not DATED.valid_on(code, day(served)):
        said = f"CLM05-1: the place of service {code} was not valid on {served}"
        yield Place(known.clm, said, 5, 1, code, claim=known.number)
