"""Rules of the 837 about payers that came before: whose turn it is, and whether what they said adds up."""

from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.bill import bill, number, service
from libs.x12.rules.claim import BOTH
from libs.x12.rules.values import Taken, adjustments, amount, balanced, days, dollars


def decided(charge: int, paid: int | None, cas: Taken) -> bool:
    """A payer's decision about a line, if there is one, explains its charge."""
    return paid is None or balanced(charge, paid, cas)


def explained(charge: int, paid: int | None, cas: Taken, decisions: list[int | None]) -> bool:
    """What the one other payer paid and adjusted explains the claim's charge."""
    known = [value for value in decisions if value is not None]
    if paid is None:
        return not known
    if known:
        return balanced(sum(known), paid, cas)
    return not cas.reasons or balanced(charge, paid, cas)


COB = "837 guides, front matter: coordination of benefits, balancing"


@rule(
    "PAYER_SEQUENCE",
    sets=BOTH,
    loop="2300",
    level=4,
    source="837 guides, note on SBR01",
    advice="Give every payer of the claim a turn of its own.",
    x12="7",
    needs="2320",
    kept='{2320:SBR01} == "U" or {2320:SBR01} != {2000B:SBR01}',
)
def payer_sequence(claim: Part, tx: Tx) -> Places:
    """No two payers of a claim have the same turn."""
    level = claim.up("2000B")
    seen = {at(level.first("SBR"), 1)} if level else set()
    for other in claim.loops("2320"):
        sbr = other.first("SBR")
        if sbr and at(sbr, 1) in seen and at(sbr, 1) != "U":
            yield Place(
                sbr,
                f"SBR01 {at(sbr, 1)!r}: another payer of this claim has the same turn",
                1,
                value=at(sbr, 1),
                claim=number(claim),
            )
        seen.add(at(sbr, 1))


@rule(
    "PRIOR_PAYER_MISSING",
    sets=BOTH,
    loop="2300",
    level=4,
    source="837 guides, note on 2320",
    advice="Send the prior payer's loop 2320.",
    x12="I6",
    kept='{2320:SBR01} or {2000B:SBR01} not in ("S", "T")',
)
def prior_payer_missing(claim: Part, tx: Tx) -> Places:
    """A claim to a secondary or tertiary payer names the payers before it."""
    level = claim.up("2000B")
    sbr = level.first("SBR") if level else None
    before = {"S": 1, "T": 2}.get(at(sbr, 1), 0)
    if sbr and before and not claim.loops("2320"):
        said = f"Claim {number(claim)} goes to payer {at(sbr, 1)}, but no other payer is named in loop 2320"
        yield Place(claim.head, said, segment="SBR", claim=number(claim))


@rule(
    "MEDICARE_SECONDARY",
    sets="837P",
    loop="2000B",
    level=4,
    source="837P, note on SBR05",
    advice="Send SBR05 only when Medicare is not the primary payer.",
    x12="I10",
    kept="not {SBR05}",
)
def medicare_secondary(level: Part, tx: Tx) -> Places:
    """SBR05 stands only when Medicare is the destination and not primary."""
    sbr = level.first("SBR")
    if sbr and at(sbr, 5) and (at(sbr, 1) == "P" or at(sbr, 9) not in ("MA", "MB")):
        yield Place(sbr, "SBR05 belongs to claims with Medicare as a secondary payer only", 5, value=at(sbr, 5))


@rule(
    "PRIOR_PAYER_UNKNOWN",
    sets=BOTH,
    loop="2300",
    level=4,
    source="837 guides, note on SVD01",
    advice="SVD01 must be the NM109 of one of the claim's loops 2330B.",
    x12="7",
    kept="not any({2430:SVD01}) or all(name in ('', {2330B:NM109}) for name in {2430:SVD01})",
)
def adjudicated_by(claim: Part, tx: Tx) -> Places:
    """SVD01 names a payer of a 2330B, and each only once per line."""
    if not bill(claim, tx).decided:
        return
    known = {other.value("NM1", 9) for payer in claim.loops("2320") for other in payer.loops("2330B")}
    for line in claim.loops("2400"):
        seen: set[str] = set()
        for decision in line.loops("2430"):
            svd = decision.first("SVD")
            name = at(svd, 1)
            if svd and name and name not in known:
                yield Place(
                    svd, f"SVD01 {name!r} is no payer of this claim's loops 2330B", 1, value=name, claim=number(claim)
                )
            seen.add(name)


@rule(
    "PRIOR_PAYER_TWICE",
    sets=BOTH,
    loop="2300",
    level=4,
    source="837 guides, note on 2330B NM109",
    advice="Give every other payer its own id.",
    x12="7",
    needs="2320",
    kept="True",
)
def payer_twice(claim: Part, tx: Tx) -> Places:
    """The ids of the other payers differ."""
    seen: set[str] = set()
    for other in claim.loops("2320"):
        for payer in other.loops("2330B"):
            nm1 = payer.first("NM1")
            if nm1 and at(nm1, 9) in seen:
                yield Place(
                    nm1,
                    f"NM109 {at(nm1, 9)!r}: two other payers have the same id",
                    9,
                    value=at(nm1, 9),
                    claim=number(claim),
                )
            seen.add(at(nm1, 9))


@rule(
    "COB_LINE_BALANCE",
    sets=BOTH,
    loop="2300",
    level=3,
    source=COB,
    advice="Charge less the payer's adjustments must be what it paid for the line.",
    kept="not any({2430:SVD01}) or all(map(decided, {$2400:SV102|SV203}, {$2430:SVD02}, {-2430:CAS}))",
)
def line_balances(claim: Part, tx: Tx) -> Places:
    """The line's charge is what a payer paid for it and adjusted of it."""
    for line in bill(claim, tx).decided:
        seg, position = service(line)
        charge = amount(seg, position)
        paid: dict[str, int] = {}
        for decision in line.loops("2430"):
            svd = decision.first("SVD")
            value = amount(svd, 2)
            if svd is None or value is None:
                return
            name = at(svd, 1)
            paid[name] = paid.get(name, 0) + value + adjustments(decision).total
        bundled = any(at(decision.first("SVD"), 6) for decision in line.loops("2430"))
        for decision in line.loops("2430"):
            svd = decision.first("SVD")
            sum_of = paid.pop(at(svd, 1), None)
            if svd and charge is not None and sum_of is not None and sum_of != charge and not bundled:
                said = f"paid and adjusted {dollars(sum_of)}, but the line's charge is {dollars(charge)}"
                yield Place(svd, f"Prior payer {at(svd, 1)}: {said}", 2, value=at(svd, 2), claim=number(claim))


@rule(
    "COB_CLAIM_BALANCE",
    sets=BOTH,
    loop="2300",
    level=3,
    source=COB,
    advice="AMT*D and the payer's adjustments must explain the claim's whole charge.",
    needs="2320",
    kept="explained({$CLM02}, {$2320:AMT02*D}, {-2320:CAS}, {$2430:SVD02})",
)
def claim_balances(claim: Part, tx: Tx) -> Places:
    """The claim's charge is what a prior payer paid and adjusted, at both levels."""
    charge = amount(claim.first("CLM"), 2)
    for other in claim.loops("2320"):
        amt = other.first("AMT", "D")
        paid = amount(amt, 2)
        names = {payer.value("NM1", 9) for payer in other.loops("2330B")}
        lines = [
            decision
            for line in claim.loops("2400")
            for decision in line.loops("2430")
            if at(decision.first("SVD"), 1) in names
        ]
        if amt is None and lines:
            said = "AMT*D is missing: lines of the claim say what this payer paid"
            yield Place(other.head, said, segment="AMT", claim=number(claim), code="COB_PAID_MISSING", x12="I6")
        if amt is None or paid is None or charge is None or not (lines or "CAS" in other.ids):
            continue
        if lines:
            payments = [amount(decision.first("SVD"), 2) for decision in lines]
            known = [value for value in payments if value is not None]
            if len(known) == len(payments) and sum(known) - adjustments(other).total != paid:
                lines_paid = dollars(sum(known) - adjustments(other).total)
                said = f"AMT*D says {dollars(paid)}, the lines' payments less claim-level adjustments are {lines_paid}"
                yield Place(amt, said, 2, value=at(amt, 2), claim=number(claim), code="COB_PAID")
                continue
        explained = paid + adjustments(other).total + sum(adjustments(decision).total for decision in lines)
        if explained != charge and not lines:
            said = f"Prior payer: paid and adjusted {dollars(explained)}, but the claim's charge is {dollars(charge)}"
            yield Place(amt, said, 2, value=at(amt, 2), claim=number(claim))


@rule(
    "COB_DATE",
    sets=BOTH,
    loop="2300",
    level=4,
    source="837 guides, notes on DTP*573",
    advice="Send the day of the prior payer's decision once: with the lines, or else with the payer.",
    x12="I6",
    kept="not any({2430:SVD01}) "
    "or all(not day or min({2400:DTP03*472}) <= day <= tx.today for day in {2430:DTP03*573})",
)
def decision_dates(claim: Part, tx: Tx) -> Places:
    """A prior payer's decision is dated, and not before the service."""
    if not bill(claim, tx).decided:
        return
    served = bill(claim, tx).first_served
    for line in claim.loops("2400"):
        for decision in line.loops("2430"):
            for first, _, seg in days(decision, "573"):
                if first < served:
                    said = f"The prior payer's decision of {first} lies before the service"
                    yield Place(seg, said, 3, value=at(seg, 3), claim=number(claim), x12="8")
                elif first > tx.today:
                    said = f"The prior payer's decision of {first} lies after the day of the file"
                    yield Place(seg, said, 3, value=at(seg, 3), claim=number(claim), x12="8")
