"""Rules of the 835: three balances, reversals, payment method, dates."""

from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.sums import sums
from libs.x12.rules.values import adjustments, amount, cents, dollars

GUIDE = "835 (X221A1), front matter: balancing"
BPR = "835 (X221A1), notes on BPR"


@rule(
    "LINE_BALANCE",
    sets="835",
    loop="2100",
    level=3,
    source=GUIDE,
    advice="Charge less adjustments must be what was paid.",
    kept="[charge - off.total for charge, off in zip({$2110:SVC02}, {-2110:CAS})] == {$2110:SVC03}",
)
def line_balance(claim: Part, tx: Tx) -> Places:
    """SVC02 less the line's CAS is SVC03."""
    known = sums(claim)
    for svc, charge, paid, adjusted in known.lines:
        if charge is None or paid is None or adjusted is None or charge - adjusted == paid:
            continue
        difference = charge - adjusted - paid
        said = f"charge {dollars(charge)} less adjustments {dollars(adjusted)} is not the payment {dollars(paid)}"
        total_charge = known.lines_charge
        off = total_charge - known.charge if total_charge is not None and known.charge is not None else 0
        element = 2 if off == difference else 3
        text = f"Service line: {said} (difference {dollars(difference)})"
        yield Place(svc, text, element, value=at(svc, element), claim=at(known.clp, 1))


@rule(
    "CLAIM_BALANCE",
    sets="835",
    loop="2100",
    level=3,
    source=GUIDE,
    advice="The claim's charge less all its adjustments must be what was paid.",
    kept="balanced({$CLP03}, {$CLP04}, {-CAS}, *{-2110:CAS})",
)
def claim_balance(claim: Part, tx: Tx) -> Places:
    """CLP03 less the CAS of the claim and its lines is CLP04."""
    known = sums(claim)
    clp, charge, paid = known.clp, known.charge, known.paid
    if charge is None or paid is None or not known.known or charge - known.adjusted == paid:
        return
    difference = charge - known.adjusted - paid
    said = f"charge {dollars(charge)} less adjustments {dollars(known.adjusted)} is not the payment {dollars(paid)}"
    text = f"Claim {at(clp, 1)}: {said} (difference {dollars(difference)})"
    yield Place(clp, text, 4, value=at(clp, 4), claim=at(clp, 1))


@rule(
    "LINES_CHARGE",
    sets="835",
    loop="2100",
    level=3,
    source=GUIDE,
    advice="The lines' charges must add up to the claim's charge.",
    kept="not {2110:SVC02} or sum({$2110:SVC02}) == {$CLP03}",
)
def lines_charge(claim: Part, tx: Tx) -> Places:
    """With service lines, CLP03 is the sum of SVC02."""
    known = sums(claim)
    found, clp = known.lines_charge, known.clp
    if found is not None and known.charge is not None and found != known.charge:
        said = f"Claim {at(clp, 1)}: the lines' charges {dollars(found)} are not the claim's {dollars(known.charge)}"
        yield Place(clp, said, 3, value=at(clp, 3), claim=at(clp, 1))


@rule(
    "LINES_PAID",
    sets="835",
    loop="2100",
    level=3,
    source=GUIDE,
    advice="The lines' payments less claim-level adjustments must be the claim's payment.",
    kept="not {2110:SVC03} or balanced(sum({$2110:SVC03}), {$CLP04}, {-CAS})",
)
def lines_paid(claim: Part, tx: Tx) -> Places:
    """With service lines, CLP04 is the sum of SVC03 less the claim's own CAS."""
    known = sums(claim)
    found, clp, paid = known.lines_paid, known.clp, known.paid
    if found is None or paid is None or not known.known or found - known.own == paid:
        return
    if known.charge is not None and known.charge - known.adjusted != paid:
        return  # the claim's own balance says so already
    said = f"Claim {at(clp, 1)}: the lines' payments {dollars(found - known.own)} are not the claim's {dollars(paid)}"
    yield Place(clp, said, 4, value=at(clp, 4), claim=at(clp, 1))


@rule(
    "PATIENT_RESPONSIBILITY",
    sets="835",
    loop="2100",
    level=3,
    source="835 (X221A1), note on CLP05",
    advice="CLP05 must be the sum of the adjustments of group PR.",
    kept='{CLP02} in ("22", "25") or ({$CLP05} or 0) == sum([one.owed for one in ({-CAS}, *{-2110:CAS})])',
)
def patient_responsibility(claim: Part, tx: Tx) -> Places:
    """CLP05 is the sum of the PR adjustments; a reversal is excepted."""
    known = sums(claim)
    clp = known.clp
    if at(clp, 2) in ("22", "25") or not known.known:
        return
    due = sum(entry[2] for entry in known.entries if entry[0] == "PR")
    said = cents(at(clp, 5)) if at(clp, 5) else 0
    if said is None or said == due or (due < 0 and not at(clp, 5)):
        return
    text = f"Claim {at(clp, 1)}: CLP05 says the patient owes {dollars(said)}, the PR adjustments say {dollars(due)}"
    yield Place(clp, text, 5, value=at(clp, 5), claim=at(clp, 1))


@rule(
    "ADJUSTMENT_TWICE",
    sets="835",
    loop="2100 2110",
    level=4,
    source="835 (X221A1), notes on CAS",
    advice="Send each reason once per group, with the sum.",
    needs="CAS",
    kept="not {-CAS}.twice",
)
def adjustment_twice(part: Part, tx: Tx) -> Places:
    """A group and reason stand only once at one level."""
    seen: set[tuple[str, str]] = set()
    entries = adjustments(part).entries
    for group, reason, _, seg, position in entries if len(entries) > 1 else ():
        if (group, reason) in seen:
            yield Place(seg, f"The adjustment {group} {reason} is there twice", position - 1, value=reason)
        seen.add((group, reason))


@rule("SUM", sets="835", loop="2100", level=3, source=GUIDE, kept="True", note="tally(tx, {$CLP03}, {$CLP04})")
def remember(claim: Part, tx: Tx) -> Places:
    """Keep the sums for the transaction's balance."""
    tally(tx, sums(claim).charge, sums(claim).paid)
    yield from ()


def tally(tx: Tx, charge: int | None, paid: int | None) -> None:
    """Add a claim to the sums."""
    state = tx.state
    state["claims_paid"] = (
        None if paid is None or state.get("claims_paid", 0) is None else state.get("claims_paid", 0) + paid
    )
    state["run"] = state.get("run", 0) + 1
    state["run_charge"] = state.get("run_charge", 0) + (charge or 0)


@rule(
    "SUMMARY",
    sets="835",
    loop="2000",
    level=3,
    source="835 (X221A1), notes on TS3",
    advice="Correct the totals, or leave the summary out.",
)
def summary(run: Part, tx: Tx) -> Places:
    """TS304 counts the claims of the run, TS305 adds their charges."""
    count, charge = tx.state.pop("run", 0), tx.state.pop("run_charge", 0)
    ts3 = run.first("TS3")
    if ts3 is None:
        return
    if at(ts3, 4).isdigit() and int(at(ts3, 4)) != count:
        yield Place(ts3, f"TS304 says {at(ts3, 4)} claims, there are {count}", 4, value=at(ts3, 4))
    if amount(ts3, 5) is not None and amount(ts3, 5) != charge:
        yield Place(ts3, f"TS305 says {at(ts3, 5)}, the charges add up to {dollars(charge)}", 5, value=at(ts3, 5))
