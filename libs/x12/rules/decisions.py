"""Rules of the 835 about single claims: whether status, signs and reasons agree."""

from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.sums import sums
from libs.x12.rules.values import adjustments, amount


@rule(
    "DENIED_YET_PAID",
    sets="835",
    loop="2100",
    level=4,
    source="835 (X221A1), note on CLP02",
    advice="A denied claim pays nothing; send status 1, 2 or 3 for one that was processed.",
    kept='{CLP02} not in ("4", "23", "25") or {$CLP04} == 0',
)
def denied_yet_paid(claim: Part, tx: Tx) -> Places:
    """A denied claim (CLP02 4) pays nothing."""
    clp = claim.first("CLP")
    if clp and at(clp, 2) in ("4", "23", "25") and amount(clp, 4):
        yield Place(
            clp,
            f"Claim {at(clp, 1)} has the status {at(clp, 2)} and yet is paid {at(clp, 4)}",
            2,
            value=at(clp, 2),
            claim=at(clp, 1),
        )


@rule(
    "REVERSAL_SIGN",
    sets="835",
    loop="2100",
    level=4,
    source="835 (X221A1), front matter: reversal and correction",
    advice="A reversal repeats the original's amounts with the opposite sign; nothing else is negative.",
    kept="max([{$CLP03}, {$CLP04}, *{$2110:SVC02}, *{$2110:SVC03}]) <= 0 if {CLP02} == '22' "
    "else min([{$CLP03}, *{$2110:SVC02}]) >= 0",
)
def reversal_sign(claim: Part, tx: Tx) -> Places:
    """A reversal (CLP02 22) has no positive charge or payment; another claim has no negative charge."""
    clp = claim.first("CLP")
    if clp is None:
        return
    known = sums(claim)
    reversal = at(clp, 2) == "22"
    name = f"Claim {at(clp, 1)}"
    charge, paid = known.charge, known.paid
    if not reversal and charge is not None and charge < 0 and (paid is None or paid <= 0):
        text = f"{name} has the amounts of a reversal, but the status {at(clp, 2)}"
        yield Place(clp, text, 2, value=at(clp, 2), claim=at(clp, 1))
        return
    amounts = [(clp, 3, charge), (clp, 4, paid)] if reversal else [(clp, 3, charge)]
    for svc, billed, given, _ in known.lines:
        amounts += [(svc, 2, billed), (svc, 3, given)] if reversal else [(svc, 2, billed)]
    for seg, position, value in amounts:
        if value is not None and (value > 0 if reversal else value < 0):
            kind = (
                "is a reversal, but this amount is positive"
                if reversal
                else "is no reversal, but this amount is negative"
            )
            yield Place(seg, f"{name} {kind}: {at(seg, position)}", position, value=at(seg, position), claim=at(clp, 1))


@rule(
    "UNITS",
    sets="835",
    loop="2110",
    level=4,
    source="835 (X221A1), note on SVC05; front matter: reversal and correction",
    advice="Send the units that were paid for; only a reversal has negative ones.",
    x12="7",
    kept='{SVC05}[:1] != "-" or {$SVC02} <= 0',
)
def units_sign(line: Part, tx: Tx) -> Places:
    """Only a line that is taken back has negative units."""
    svc = line.segs[0]
    charge = amount(svc, 2) if at(svc, 5).startswith("-") else None
    if charge is not None and charge > 0:
        yield Place(svc, f"SVC05: {at(svc, 5)} units of a line that is not taken back", 5, value=at(svc, 5))


@rule(
    "CROSSOVER_MISSING",
    sets="835",
    loop="2100",
    level=4,
    severity="warning",
    source="835 (X221A1), note on NM1*TT",
    advice="Name the payer that the claim was sent on to (NM1*TT).",
    x12="I6",
    kept='{NM103*TT} or {CLP02} not in ("19", "20", "21", "23")',
)
def crossover(claim: Part, tx: Tx) -> Places:
    """A claim that was forwarded names the payer that it went to."""
    clp = claim.head
    if at(clp, 2) in ("19", "20", "21", "23") and not claim.first("NM1", "TT"):
        said = f"Claim {at(clp, 1)} was forwarded (status {at(clp, 2)}), but NM1*TT does not say where to"
        yield Place(clp, said, 2, value=at(clp, 2), claim=at(clp, 1))


@rule(
    "PATIENT_NAME",
    sets="835",
    loop="2100",
    level=4,
    source="835 (X221A1), note on NM103 of the patient",
    advice="Send the patient's last name.",
    x12="I6",
    kept="{NM103*QC}",
)
def patient_name(claim: Part, tx: Tx) -> Places:
    """The patient of a claim that is not a pharmacy's has a last name."""
    patient = claim.first("NM1", "QC")
    if patient is None or at(patient, 3) or tx.old:
        return
    if not any(at(line.head, 1).startswith(("N4", "ND")) for line in claim.loops("2110")):
        yield Place(patient, "NM103: the patient's last name is missing", 3, claim=at(claim.head, 1))


@rule(
    "REMARK_MISSING",
    sets="835",
    loop="2100",
    level=4,
    severity="warning",
    source="CARC list, note on 16 and 226 and 227",
    advice="Add the remark code that says what is lacking.",
    kept='"16" not in {-CAS}.reasons '
    'and not any(["16" in off.reasons and not lq for off, lq in zip({-2110:CAS}, {2110:LQ*HE})])',
)
def remark_missing(claim: Part, tx: Tx) -> Places:
    """Reason 16 needs a remark code."""
    if not any(entry[1] == "16" for entry in sums(claim).entries):
        return
    own = any(at(seg, i) for seg in claim.all("MOA") for i in range(3, 8)) or any(
        at(seg, i) for seg in claim.all("MIA") for i in (5, 20, 21, 22, 23)
    )
    for part in (claim, *claim.loops("2110")):
        if own or part.first("LQ", "HE"):
            continue
        for _, reason, _, seg, position in adjustments(part).entries:
            if reason == "16":
                yield Place(
                    seg, "Reason 16 does not say what is lacking without a remark code", position - 1, value=reason
                )
