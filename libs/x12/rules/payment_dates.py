"""Rules of the 835 about time: days of service, periods, codes that have ended."""

from libs.x12.codes import code_list
from libs.x12.convert import day
from libs.x12.elements import is_date
from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.sums import sums
from libs.x12.rules.values import dated, days

#: Adjustment reasons that were ended or began at some time.
ENDED = code_list("carc").spans


@rule(
    "SERVICE_DATE_MISSING",
    sets="835",
    loop="2100",
    level=4,
    source="835 (X221A1), notes on DTM*232 and DTM*472",
    advice="Send DTM*472 for the line, or the statement's days (DTM*232) for the claim.",
    x12="I6",
    kept="{DTM02*232} or {DTM02*233} or all({2110:DTM02*472})",
)
def service_dates(claim: Part, tx: Tx) -> Places:
    """A line has a day of service, unless its claim has the days of the statement."""
    if claim.first("DTM", "232") or claim.first("DTM", "233") or tx.old or at(claim.head, 2) == "25":
        return
    for line in claim.loops("2110"):
        if "DTM" not in line.ids:
            text = "The line has no day of service, nor has its claim"
            yield Place(line.head, text, segment="DTM", claim=at(claim.head, 1))


@rule(
    "DATE_ORDER",
    sets="835",
    loop="2100",
    level=4,
    source="A period ends after it began",
    advice="Correct the dates.",
    x12="8",
    kept="(not {DTM02*233} or {DTM02*232} <= {DTM02*233}) and not any({2110:DTM02*151})",
)
def period(claim: Part, tx: Tx) -> Places:
    """The statement's first day is not after its last; a line's neither."""
    for part, first, last in ((claim, "232", "233"), *((line, "150", "151") for line in claim.loops("2110"))):
        if len(dated(part)) < 2:
            continue
        begin, end = days(part, first), days(part, last)
        if begin and end and begin[0][0] > end[0][0]:
            seg = end[0][2]
            yield Place(seg, f"The period ends on {end[0][0]}, before it begins on {begin[0][0]}", 2, value=end[0][0])


@rule(
    "DATE_ORDER",
    sets="835",
    loop="2100",
    level=4,
    source="A claim is received after its service and before its payment",
    advice="Correct the day of receipt.",
    x12="8",
    needs="DTM",
    kept="not {DTM02*050} or max([{DTM02*232}, *{2110:DTM02*472}, *{2110:DTM02*150}]) <= {DTM02*050} <= tx.today",
)
def received_between(claim: Part, tx: Tx) -> Places:
    """A claim was received after its first service, and not after the file was made."""
    received = days(claim, "050")
    if not received or at(claim.head, 2) == "25":
        return
    day_, _, seg = received[0]
    served = [entry[1] for entry in sums(claim).dated if entry[0] in ("232", "472", "150")]
    if day_ > tx.today:
        yield Place(seg, f"The claim was received on {day_}, after the file was made", 2, value=at(seg, 2))
    elif served and day_ < min(served):
        yield Place(seg, f"The claim was received on {day_}, before the service of {min(served)}", 2, value=at(seg, 2))


@rule(
    "DATE_IN_FUTURE",
    sets="835",
    loop="transaction",
    level=4,
    source="835 (X221A1), note on DTM*405",
    advice="Correct the day on which the payment was made up.",
    x12="8",
)
def made_up_before_sent(whole: Part, tx: Tx) -> Places:
    """The payment was made up before the file was sent."""
    for made, _, seg in days(whole, "405"):
        if made > tx.today:
            yield Place(seg, f"DTM*405 {made} lies after the day of the file", 2, value=made)


@rule(
    "DATE_IN_FUTURE",
    sets="835",
    loop="2100",
    level=4,
    source="A service precedes its payment",
    advice="Correct the date of service.",
    x12="8",
    kept="max({DTM02*232}, {DTM02*233}, *{2110:DTM02*472}, *{2110:DTM02*150}, *{2110:DTM02*151}) <= tx.today",
)
def service_before_payment(claim: Part, tx: Tx) -> Places:
    """No service was given after the file was made."""
    whole = claim.up("")
    limit = max(tx.today, whole.value("BPR", 16) if whole else "")
    for qualifier, first, last, seg in sums(claim).dated:
        if (last > limit or first > limit) and qualifier in ("232", "233", "472", "150", "151"):
            yield Place(seg, f"The date {at(seg, 2)} lies after the remittance", 2, value=at(seg, 2))


@rule(
    "CODE_DATE",
    sets="835",
    loop="2100",
    level=5,
    severity="warning",
    source="CARC list, with the last day of codes that were ended",
    advice="Send the code that took its place.",
    x12="7",
    kept="not any([reason in ENDED for one in ({-CAS}, *{-2110:CAS}) for reason in one.reasons])",
)
def reason_was_valid(claim: Part, tx: Tx) -> Places:
    """An adjustment reason was in the list on the day of the payment."""
    codes = code_list("carc")
    ended = [entry for entry in sums(claim).entries if entry[1] in ENDED]
    whole = claim.up("") if ended else None
    paid_on = whole.value("BPR", 16) if whole else ""
    for _, reason, _, seg, position in ended:
        if is_date(paid_on) and not codes.valid_on(reason, day(paid_on[:8])):
            yield Place(seg, f"The reason {reason} was no longer valid on {paid_on}", position - 1, value=reason)
