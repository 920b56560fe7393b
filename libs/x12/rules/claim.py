"""Rules of the 837: charges, hierarchy, references, dates."""

from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.bill import Amount, bill, number, service
from libs.x12.rules.values import amount, dollars

P, I, BOTH = "837P", "837I", "837P 837I"  # noqa: E741 - the guides' own letters


@rule(
    "CLAIM_CHARGE",
    sets=BOTH,
    loop="2300",
    level=3,
    source="837 guides, note on CLM02",
    advice="CLM02 must be the sum of the lines' charges.",
    kept="sum({$2400:SV102|SV203}) == {$CLM02}",
)
def claim_charge(claim: Part, tx: Tx) -> Places:
    """CLM02 is the sum of the lines' charges."""
    known = bill(claim, tx)
    clm, charge = known.clm, known.charge
    charges = [value for _, _, value in known.charges if value is not None]
    if clm and charge is not None and charges and len(charges) == len(known.charges) and sum(charges) != charge:
        said = f"Claim {known.number}: CLM02 is {dollars(charge)}, its lines add up to {dollars(sum(charges))}"
        yield Place(clm, said, 2, value=at(clm, 2), claim=known.number)


@rule(
    "NEGATIVE_CHARGE",
    sets=BOTH,
    loop="2300",
    level=4,
    source="837 guides, notes on CLM02, SV102 and AMT",
    advice="Correct the amount; a claim never bills a negative one.",
    kept='"-" not in {CLM02} + {AMT02*F3} + {AMT02*F5} + {2320:AMT02*A8} + {2320:AMT02*EAF} '
    '+ "".join({2400:SV102|SV203})',
)
def negative_charge(claim: Part, tx: Tx) -> Places:
    """No charge is negative, nor what a patient paid or owes."""
    known = bill(claim, tx)
    amounts: list[Amount] = [(known.clm, 2, known.charge), *known.charges]
    others = [(claim, "F3"), (claim, "F5")] if "AMT" in claim.ids else []
    others += [(other, name) for other in claim.loops("2320") for name in ("A8", "EAF")]
    for part, name in others:
        amt = part.first("AMT", name)
        amounts.append((amt, 2, amount(amt, 2)))
    for seg, position, value in amounts:
        if seg and value is not None and value < 0:
            yield Place(
                seg,
                f"The amount {at(seg, position)} is negative",
                position,
                value=at(seg, position),
                claim=number(claim),
            )


@rule(
    "UNITS",
    sets=BOTH,
    loop="2400",
    level=4,
    source="837 guides, notes on SV104 and SV205",
    advice="Send the units of the service.",
    x12="7",
    kept='{SV104|SV205}[0] != "-" and {SV104|SV205}.strip("0.")',
)
def units(line: Part, tx: Tx) -> Places:
    """Units are more than nothing."""
    seg, charge = service(line)
    position = charge + 2
    text = at(seg, position)
    if seg and text and (text[0] == "-" or not text.strip("0.")):
        yield Place(seg, f"{seg[0][0]}{position:02d}: {text} units of a service", position, value=text)


@rule(
    "LINE_NUMBER",
    sets=BOTH,
    loop="2300",
    level=4,
    source="837 guides, note on LX01",
    advice="Number the lines from 1 without gaps.",
    x12="7",
    kept="{2400:LX01} == counted(len({2400:LX01}))",
)
def line_numbers(claim: Part, tx: Tx) -> Places:
    """LX01 counts the claim's lines from 1."""
    for count, line in enumerate(claim.loops("2400"), 1):
        seg = line.segs[0]
        if at(seg, 1) != str(count):
            yield Place(seg, f"LX01 is {at(seg, 1)!r}, this is line {count}", 1, value=at(seg, 1), claim=number(claim))
            return


@rule(
    "LINE_CONTROL_NUMBER",
    sets=BOTH,
    loop="2300",
    level=4,
    source="837 guides, note on REF*6R",
    advice="Give every line a number of its own.",
    kept="distinct({2400:REF02*6R})",
)
def line_control_numbers(claim: Part, tx: Tx) -> Places:
    """REF*6R is unique within the claim."""
    seen: set[str] = set()
    lines = claim.loops("2400")
    for line in lines if len(lines) > 1 else ():
        seg = line.first("REF", "6R")
        if seg and at(seg, 2) in seen:
            yield Place(
                seg, f"The line control number {at(seg, 2)!r} is there twice", 2, value=at(seg, 2), claim=number(claim)
            )
        seen.add(at(seg, 2))


@rule(
    "ORIGINAL_REFERENCE",
    sets=BOTH,
    loop="2300",
    level=4,
    source="837 guides, note on REF*F8 and CLM05-3",
    advice="Send the payer's own number of the claim that is replaced or voided.",
    x12="I6",
    kept='({CLM05-3} in ("7", "8")) == bool({REF02*F8})',
)
def original_reference(claim: Part, tx: Tx) -> Places:
    """A replacement or void (7, 8) names the payer's number of the original."""
    clm = claim.first("CLM")
    parts = at(clm, 5).split(tx.component) if tx.component else []
    frequency = parts[2] if len(parts) > 2 else ""
    f8 = claim.first("REF", "F8")
    if clm and frequency in ("7", "8") and not f8:
        said = f"Claim {number(claim)} has frequency {frequency}, but no REF*F8 with the original's number"
        yield Place(clm, said, 5, 3, frequency, claim=number(claim))
    if clm and f8 and frequency == "1":
        said = f"Claim {number(claim)} is an original (frequency 1), but names one in REF*F8"
        yield Place(f8, said, 2, value=at(f8, 2), claim=number(claim), code="ORIGINAL_REFERENCE_UNUSED", x12="I10")


@rule(
    "CLAIM_NUMBER_LENGTH",
    sets=BOTH,
    loop="2300",
    level=4,
    severity="warning",
    source="837 guides, note on CLM01",
    advice="Send at most 20 characters; payers need not keep more.",
    x12="5",
    kept="len({CLM01}) <= 20",
)
def claim_number_length(claim: Part, tx: Tx) -> Places:
    """CLM01 has at most 20 characters."""
    clm = claim.first("CLM")
    if clm and 20 < len(at(clm, 1)) <= 38:
        yield Place(
            clm, f"CLM01 has {len(at(clm, 1))} characters; payers keep only 20", 1, value=at(clm, 1), claim=at(clm, 1)
        )


def numbers(tx: Tx) -> set[int]:
    """The claim numbers that were met in the transaction, as their hashes."""
    found: set[int] = tx.state.setdefault("numbers", set())
    return found


@rule(
    "CLAIM_NUMBER_TWICE",
    sets=BOTH,
    loop="2300",
    level=4,
    severity="warning",
    source="837 guides, note on CLM01",
    advice="Give every claim a number of its own.",
    kept="hash({CLM01}) not in numbers(tx)",
    note="numbers(tx).add(hash({CLM01}))",
)
def claim_number_twice(claim: Part, tx: Tx) -> Places:
    """CLM01 is unique in the transaction."""
    seen = numbers(tx)
    clm = claim.first("CLM")
    key = hash(at(clm, 1))
    if clm and key in seen:
        yield Place(
            clm,
            f"The claim number {at(clm, 1)!r} was used before in this transaction",
            1,
            value=at(clm, 1),
            claim=at(clm, 1),
        )
    if len(seen) < 200_000:
        seen.add(key)


@rule(
    "CLAIMS_TOO_MANY",
    sets=BOTH,
    loop="2300",
    level=2,
    source="837 guides, front matter",
    advice="Split the file at 5,000 claims per ST.",
    kept="tx.claims < 5000",
)
def claims_too_many(claim: Part, tx: Tx) -> Places:
    """A transaction holds at most 5,000 claims."""
    if tx.claims == 5001 and not tx.state.get("told"):
        tx.state["told"] = True
        yield Place(claim.head, "This is claim 5,001 of the transaction", claim=number(claim))


@rule(
    "ATTACHMENT_NUMBER",
    sets=BOTH,
    loop="2300 2400",
    level=4,
    source="837 guides, note on PWK05 and PWK06",
    advice="Send AC and the attachment's control number.",
    x12="I6",
    needs="PWK",
)
def attachment(part: Part, tx: Tx) -> Places:
    """An attachment that travels apart has a control number."""
    for seg in part.all("PWK"):
        if at(seg, 2) in ("BM", "EL", "EM", "FX", "FT") and not at(seg, 6):
            yield Place(seg, f"PWK06: an attachment sent by {at(seg, 2)} needs its control number", 6)
