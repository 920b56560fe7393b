"""Rules of the 837 about people: who is the patient, what the billing provider must say of itself."""

from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.claim import BOTH, P


@rule(
    "SUBSCRIBER_PATIENT",
    sets=BOTH,
    loop="2000B",
    level=4,
    source="837 guides, note on SBR02 and 2000C",
    advice="Send 18 when the patient is the subscriber; else leave SBR02 empty and send 2000C.",
    kept="({#2300} and not {#2000C}) if {SBR02} else ({#2000C} and not {#2300})",
)
def subscriber_or_patient(level: Part, tx: Tx) -> Places:
    """SBR02 is 18 exactly when no patient level follows; a level has claims."""
    sbr = level.first("SBR")
    children = {child.id: level.count(id(child)) for child in level.loop.inner}
    if sbr is None:
        return
    patients, claims = children.get("2000C", 0), children.get("2300", 0)
    if at(sbr, 2) == "18" and patients:
        yield Place(sbr, "SBR02 says that the patient is the subscriber, but a patient level follows", 2, value="18")
    elif at(sbr, 2) == "" and claims:
        yield Place(sbr, "SBR02 must be 18 for the subscriber's own claims", 2, x12="I6")
    elif not patients and not claims:
        yield Place(level.head, "The subscriber has no claim and no patient", code="NO_CLAIM", x12="3")


@rule(
    "SUBSCRIBER_INCOMPLETE",
    sets=BOTH,
    loop="2000B",
    level=4,
    source="837 guides, notes on 2010BA N3, N4, DMG",
    advice="Send address, birth date and sex of a subscriber who is the patient.",
    x12="I6",
    kept="not {SBR02} or ({2010BA:N301} and {2010BA:N401} and {2010BA:DMG02})",
)
def subscriber_is_patient(level: Part, tx: Tx) -> Places:
    """A subscriber who is the patient has an address and demographics."""
    sbr = level.first("SBR")
    if at(sbr, 2) != "18":
        return
    for person in level.loops("2010BA"):
        for name in ("N3", "N4", "DMG"):
            if person.first(name) is None:
                said = f"{name} is missing in loop 2010BA: the subscriber is the patient"
                yield Place(person.segs[-1], said, segment=name)


@rule(
    "TAX_ID_MISSING",
    sets=P,
    loop="2010AA",
    level=2,
    source="837P, 2010AA REF*EI and REF*SY",
    advice="Send REF*EI with the employer id.",
    x12="3",
)
def tax_id(provider: Part, tx: Tx) -> Places:
    """The billing provider has a tax id, one only."""
    found = [*provider.all("REF", "EI"), *provider.all("REF", "SY")]
    if not found:
        yield Place(provider.segs[-1], "REF*EI (or REF*SY) with the tax id is missing in loop 2010AA", segment="REF")
    elif len(found) > 1:
        yield Place(found[1], "A billing provider has one tax id only", 1, value=at(found[1], 1), x12="5")


@rule(
    "BILLING_ADDRESS",
    sets=BOTH,
    loop="2010AA",
    level=4,
    source="837 guides, note on 2010AA N3",
    advice="Send the street address here and the post box in 2010AB.",
    x12="7",
)
def billing_address(provider: Part, tx: Tx) -> Places:
    """The billing provider's address is a street, not a post box."""
    n3 = provider.first("N3")
    text = " ".join(at(n3, 1).upper().replace(".", "").split())
    if n3 and (text.startswith(("PO BOX", "P O BOX", "POBOX", "POST OFFICE BOX", "LOCK BOX", "LOCKBOX"))):
        yield Place(n3, f"N301 {at(n3, 1)!r} is a post box; the billing provider needs a street", 1, value=at(n3, 1))


@rule(
    "ZIP_NINE_DIGITS",
    sets=BOTH,
    loop="2010AA",
    level=4,
    severity="warning",
    source="837 guides, note on 2010AA N403",
    advice="Send all nine digits.",
    x12="4",
)
def zip_nine_digits(provider: Part, tx: Tx) -> Places:
    """The billing provider's ZIP code has nine digits."""
    n4 = provider.first("N4")
    if n4 and at(n4, 4) in ("", "US") and at(n4, 3).isdigit() and len(at(n4, 3)) == 5:
        yield Place(n4, "N403: the billing provider's ZIP code needs all nine digits", 3, value=at(n4, 3))


@rule(
    "NPI_MISSING",
    sets=BOTH,
    loop="2010AA",
    level=4,
    source="45 CFR 162.410; 837 guides, note on NM109",
    advice="Send XX and the NPI.",
    x12="I6",
)
def billing_npi(provider: Part, tx: Tx) -> Places:
    """A health care provider bills under an NPI; an atypical one sends another number."""
    nm1 = provider.first("NM1")
    if nm1 and not at(nm1, 9) and not provider.first("REF", "G2") and not tx.old:
        level = provider.parent
        if level is None or level.first("PRV") or tx.set == "837I":
            yield Place(nm1, "NM109: the billing provider has no NPI", 9)
