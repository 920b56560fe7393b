"""Rules of the 278: what a decision must say, and what a change must refer to."""

from libs.x12.codes import code_list
from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule

ANSWERS = "278R 278IR"


@rule(
    "FACILITY_CODE",
    sets="278 278R 278I 278IR",
    loop="2000E 2000F",
    level=5,
    source="CMS, places of service; NUBC, types of bills",
    advice="Send a place of service with B, the first two digits of a bill type with A.",
    x12="7",
)
def facility(event: Part, tx: Tx) -> Places:
    """UM04 holds a code of the list that its qualifier names."""
    um = event.first("UM")
    parts = at(um, 4).split(tx.component) if tx.component else []
    lists = {"B": "pos", "A": "bill_type"}
    name = lists.get(parts[1]) if len(parts) > 1 else None
    if um and name and parts[0] and parts[0] not in code_list(name):
        yield Place(um, f"UM04-1 {parts[0]!r} is not a code of the list that UM04-2 names", 4, 1, parts[0])


@rule(
    "PREVIOUS_AUTHORIZATION",
    sets="278",
    loop="2000E",
    level=4,
    severity="warning",
    source="278 (X217), notes on UM02 and REF*BB",
    advice="Name the authorization that is to be changed (REF*BB).",
    x12="I6",
)
def previous_authorization(event: Part, tx: Tx) -> Places:
    """What extends, renews, revises or cancels names what it changes."""
    um = event.first("UM")
    if um and at(um, 2) in ("3", "4", "R", "S") and not any(event.first("REF", name) for name in ("BB", "NT")):
        yield Place(um, f"UM02 {at(um, 2)} changes an authorization, but REF*BB does not name it", 2, value=at(um, 2))


@rule(
    "DECISION",
    sets=ANSWERS,
    loop="2000E 2000F",
    level=4,
    source="278 (X217), notes on HCR02 and HCR03",
    advice="Send the number of what was certified, the reason for what was not.",
    x12="I6",
)
def decision(event: Part, tx: Tx) -> Places:
    """What is certified has a number, what is not has a reason."""
    for hcr in event.all("HCR"):
        if at(hcr, 1) in ("A1", "A2", "A6") and not at(hcr, 2):
            yield Place(hcr, f"HCR02: the decision {at(hcr, 1)} needs its certification number", 2)
        if at(hcr, 1) == "A3" and not at(hcr, 3):
            yield Place(hcr, "HCR03: what is not certified needs the reason", 3)
    if event.loop.id == "2000F" and (event.first("HCR") or event.first("AAA")):
        tx.state["decided"] = True


@rule(
    "DECISION_MISSING",
    sets="278R",
    loop="2000E",
    level=4,
    source="278 (X217), notes on HCR and AAA",
    advice="Send the decision (HCR), or why there is none (AAA).",
    x12="I6",
)
def decision_missing(event: Part, tx: Tx) -> Places:
    """An answer decides about the event or its services, or says why it does not."""
    decided = tx.state.pop("decided", False) or event.first("HCR") or event.first("AAA")
    part = event.parent
    while part is not None and not decided:
        decided = part.first("AAA") or any(kid.first("AAA") for kid in part.kids)
        part = part.parent
    if not decided:
        yield Place(event.segs[-1], "HCR is missing: the answer decides nothing", segment="HCR")
