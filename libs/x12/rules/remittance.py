"""Rules of the 835 about the whole payment: its balance, its method, its numbers."""

from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.payment import BPR, GUIDE
from libs.x12.rules.segments import luhn_npi, routing_number
from libs.x12.rules.values import amount, cents, dollars


@rule(
    "PAYMENT_BALANCE",
    sets="835",
    loop="transaction",
    level=3,
    source=GUIDE,
    advice="BPR02 must be the claims' payments less the provider adjustments.",
)
def payment_balance(whole: Part, tx: Tx) -> Places:
    """BPR02 is the sum of CLP04 less the sum of all PLB amounts."""
    bpr = whole.first("BPR")
    paid, claims = amount(bpr, 2), tx.state.get("claims_paid", 0)
    if bpr is None or paid is None or claims is None:
        return
    taken = 0
    for seg in whole.all("PLB"):
        for position in range(4, min(len(seg[0]), 15), 2):
            value = cents(at(seg, position)) if at(seg, position) else 0
            if value is None:
                return
            taken += value
    expected = claims - taken
    if at(bpr, 3) == "D" and paid > 0:
        paid = -paid
    if expected != paid:
        said = (
            f"the claims' payments {dollars(claims)} less provider adjustments {dollars(taken)} are {dollars(expected)}"
        )
        yield Place(bpr, f"BPR02 says {at(bpr, 2)}, but {said}", 2, value=at(bpr, 2))


@rule(
    "PAYMENT_METHOD",
    sets="835",
    loop="transaction",
    level=4,
    source=BPR,
    advice="Make method, format and bank fields agree.",
)
def payment_method(whole: Part, tx: Tx) -> Places:
    """ACH has a format and both banks; a check has no format; no payment is no money."""
    bpr = whole.first("BPR")
    if bpr is None:
        return
    method, money = at(bpr, 4), amount(bpr, 2)
    if method in ("ACH", "FWT", "BOP"):
        needed = (5, 6, 7, 8, 9, 10, 12, 13, 14, 15) if method == "ACH" else (6, 7, 8, 9, 12, 13, 14, 15)
        for position in needed:
            if not at(bpr, position):
                yield Place(bpr, f"BPR{position:02d} must be sent with the payment method {method}", position, x12="I6")
                break
    elif at(bpr, 5) and method in ("CHK", "NON"):
        yield Place(bpr, f"BPR05 belongs to ACH payments only, not to {method}", 5, value=at(bpr, 5), x12="I10")
    if method == "NON" and money:
        yield Place(bpr, f"BPR04 says that there is no payment, but BPR02 is {at(bpr, 2)}", 4, value=method)
    if method == "NON" and at(bpr, 1) in ("I", "C", "D", "P", "U"):
        yield Place(bpr, f"BPR01 {at(bpr, 1)} announces money, but the method is NON", 1, value=at(bpr, 1))
    if at(bpr, 1) == "H" and money:
        yield Place(bpr, f"BPR01 H is a notification only, but BPR02 is {at(bpr, 2)}", 1, value="H")
    if money is not None and money < 0:
        yield Place(bpr, f"BPR02 {at(bpr, 2)} is negative; carry the balance forward with a PLB", 2, value=at(bpr, 2))


@rule(
    "ROUTING_NUMBER",
    sets="835",
    loop="transaction",
    level=5,
    source="ABA, check digit of a routing number",
    advice="Correct the bank's routing number.",
    x12="7",
)
def routing(whole: Part, tx: Tx) -> Places:
    """A routing number of qualifier 01 has nine digits, the last one a check digit."""
    bpr = whole.first("BPR")
    for kind, position in ((6, 7), (12, 13)):
        text = at(bpr, position)
        if bpr and at(bpr, kind) == "01" and text and not routing_number(text):
            yield Place(bpr, f"BPR{position:02d} {text!r} is not a valid routing number", position, value=text)


@rule(
    "TRACE",
    sets="835",
    loop="transaction",
    level=4,
    source="835 (X221A1), notes on TRN03 and BPR10",
    advice="Send 1 and the payer's tax id.",
)
def trace(whole: Part, tx: Tx) -> Places:
    """TRN03 is 1 and nine digits."""
    trn = whole.first("TRN")
    text = at(trn, 3)
    if trn and text and not (text[0] in "139" and text[1:].isalnum()):
        yield Place(trn, f"TRN03 {text!r} does not begin with 1", 3, value=text)


@rule(
    "TRACE_ORIGINATOR",
    sets="835",
    loop="transaction",
    level=4,
    severity="warning",
    source="835 (X221A1), notes on TRN03 and BPR10",
    advice="Send the same in both.",
    x12="7",
)
def trace_originator(whole: Part, tx: Tx) -> Places:
    """TRN03 and BPR10 are the same payer."""
    trn, bpr = whole.first("TRN"), whole.first("BPR")
    if trn and at(bpr, 10) and at(trn, 3) and at(bpr, 10) != at(trn, 3):
        yield Place(trn, f"TRN03 {at(trn, 3)!r} is not BPR10 {at(bpr, 10)!r}", 3, value=at(trn, 3))


@rule(
    "NO_CLAIMS",
    sets="835",
    loop="transaction",
    level=4,
    severity="warning",
    source="A payment is for something",
    advice="Send the claims, or the provider adjustments, that the payment is for.",
)
def no_claims(whole: Part, tx: Tx) -> Places:
    """A payment comes with claims or provider adjustments."""
    bpr = whole.first("BPR")
    if bpr and not tx.claims and not whole.all("PLB") and amount(bpr, 2):
        yield Place(bpr, "There is a payment, but no claim and no provider adjustment", 2, value=at(bpr, 2))


@rule(
    "PLB_REFERENCE",
    sets="835",
    loop="transaction",
    level=4,
    severity="warning",
    source="835 (X221A1), notes on PLB03-2",
    advice="Name the claim or balance that the money belongs to.",
)
def plb_reference(whole: Part, tx: Tx) -> Places:
    """A recovery or a balance carried forward names what it belongs to."""
    for seg in whole.all("PLB"):
        for position in range(3, min(len(seg[0]), 14), 2):
            code, _, reference = at(seg, position).partition(tx.component or ":")
            if code in ("WO", "FB", "72") and not reference:
                yield Place(seg, f"PLB{position:02d}: {code} without a reference", position, 2)


@rule(
    "NPI",
    sets="835",
    loop="transaction",
    level=5,
    source="CMS, NPI check digit (prefix 80840)",
    advice="Correct the NPI; its last digit checks the others.",
    x12="7",
)
def npi_of_an_adjustment(whole: Part, tx: Tx) -> Places:
    """PLB01 of ten digits is an NPI."""
    for seg in whole.all("PLB"):
        text = at(seg, 1)
        if len(text) == 10 and text.isdigit() and text[0] in "12" and not luhn_npi(text):
            yield Place(seg, f"PLB01 {text!r} is not a valid NPI", 1, value=text)
