"""Rules of the 270 and 271."""

from libs.x12.convert import decimal
from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule

GUIDE = "270/271 (X279A1)"


@rule(
    "PERCENT",
    sets="271",
    loop="2110C 2110D",
    level=4,
    source=f"{GUIDE}, note on EB08",
    advice="Send the patient's share as a fraction: 0.2 for 20 percent.",
    x12="7",
)
def percent(benefit: Part, tx: Tx) -> Places:
    """EB08 is a fraction of one."""
    eb = benefit.first("EB")
    try:
        share = decimal(at(eb, 8)) if at(eb, 8) else None
    except ValueError:
        return
    if eb and share is not None and not 0 <= share <= 1:
        yield Place(eb, f"EB08 {at(eb, 8)!r} is no fraction of one", 8, value=at(eb, 8))


@rule(
    "BENEFIT_AMOUNT",
    sets="271",
    loop="2110C 2110D",
    level=4,
    source=f"{GUIDE}, notes on EB07 and EB08",
    advice="Send the amount of a copay, deductible or limit, and the share of a coinsurance.",
    x12="I6",
)
def amounts(benefit: Part, tx: Tx) -> Places:
    """What is owed is an amount that is not negative, or for coinsurance a share."""
    eb = benefit.first("EB")
    kind = at(eb, 1)
    if eb and kind in ("B", "C", "G", "J", "Y") and not at(eb, 7) and not at(eb, 8):
        yield Place(eb, f"EB07: a statement of kind {kind} needs its amount", 7)
    if eb and kind == "A" and not at(eb, 8):
        yield Place(eb, "EB08: a coinsurance needs the patient's share", 8)
    if eb and at(eb, 7).startswith("-") and at(eb, 7).strip("-0."):
        yield Place(eb, f"EB07 {at(eb, 7)} is negative", 7, value=at(eb, 7), x12="7")


@rule(
    "LOOP_BRACKETS",
    sets="271",
    loop="2110C 2110D",
    level=2,
    source=f"{GUIDE}, LS and LE",
    advice="Put LS*2120 before the first loop 2120 and LE*2120 after the last.",
    x12="I6",
)
def brackets(benefit: Part, tx: Tx) -> Places:
    """Loops 2120 stand between LS and LE."""
    inner = benefit.loops("2120C", "2120D")
    opened, closed = benefit.first("LS"), benefit.first("LE")
    if inner and opened is None:
        yield Place(inner[0].head, "LS is missing before loop 2120", segment="LS")
    if (inner or opened) and closed is None:
        last = inner[-1].segs[-1] if inner else opened
        assert last
        yield Place(last, "LE is missing after loop 2120", segment="LE")
    if closed and not inner and opened:
        yield Place(closed, "LS and LE hold no loop 2120", segment="NM1")


@rule(
    "REJECTED_YET_ANSWERED",
    sets="271",
    loop="2000C 2000D",
    level=4,
    severity="warning",
    source=f"{GUIDE}, notes on AAA",
    advice="Send either why there is no answer, or the answer.",
)
def rejected_yet_answered(level: Part, tx: Tx) -> Places:
    """A person whom the payer does not find has no benefits."""
    benefits = level.loops("2110C", "2110D")
    for person in level.loops("2100C", "2100D"):
        for aaa in person.all("AAA"):
            if benefits and at(aaa, 3) in ("75", "67", "72", "73", "58", "71"):
                yield Place(
                    aaa, f"AAA03 {at(aaa, 3)} says that there is no answer, but benefits follow", value=at(aaa, 3)
                )


@rule(
    "NOTHING_ASKED",
    sets="270",
    loop="2000C 2000D",
    level=4,
    source=f"{GUIDE}, loops 2110C and 2110D",
    advice="Ask for a service type or a procedure (EQ).",
    x12="I6",
)
def nothing_asked(level: Part, tx: Tx) -> Places:
    """Something is asked about the subscriber or the dependent."""
    dependents = sum(level.count(id(child)) for child in level.loop.loops() if child.id == "2000D")
    if not level.loops("2110C", "2110D") and not dependents:
        yield Place(level.segs[-1], "EQ is missing: nothing is asked", segment="EQ")


@rule(
    "WHO_IS_ASKED_ABOUT",
    sets="270",
    loop="2100C 2100D",
    level=4,
    severity="warning",
    source=f"{GUIDE}, search options",
    advice="Send member id, birth date and name, so that the payer can find the person.",
)
def who(person: Part, tx: Tx) -> Places:
    """A person is asked about by more than one of id, name and birth date."""
    nm1, dmg = person.first("NM1"), person.first("DMG")
    known = [bool(at(nm1, 9)), bool(at(nm1, 3)), bool(at(dmg, 2))]
    if nm1 and sum(known) < 2:
        lacking = 9 if person.loop.id == "2100C" and not known[0] else 3 if not known[1] else None
        yield Place(nm1, "The person is named by one of id, name and birth date only", lacking)
