"""Rules of the 276, 277, 277CA and 999: whether answers agree with themselves."""

from libs.x12.parts import Part, Place, Places, Tx, at
from libs.x12.rules import rule
from libs.x12.rules.values import amount, days, dollars

REJECTED = frozenset({"A3", "A4", "A6", "A7", "A8"})


def _category(text: str, tx: Tx) -> str:
    return text.partition(tx.component or ":")[0]


@rule(
    "DEMOGRAPHICS_MISSING",
    sets="276",
    loop="2000D",
    level=4,
    source="276 (X212), note on DMG in 2000D",
    advice="Send the subscriber's birth date.",
    x12="I6",
)
def demographics(level: Part, tx: Tx) -> Places:
    """A subscriber who is the patient has a birth date."""
    dependents = sum(level.count(id(child)) for child in level.loop.loops() if child.id == "2000E")
    if not dependents and level.first("DMG") is None:
        yield Place(level.segs[-1], "DMG is missing: the subscriber is the patient", segment="DMG")


@rule(
    "SERVICE_DATE_MISSING",
    sets="276",
    loop="2200D 2200E",
    level=4,
    source="276 (X212), note on DTP*472 in 2200D",
    advice="Send the days of service of the claim, or of each line.",
    x12="I6",
)
def service_dates(claim: Part, tx: Tx) -> Places:
    """What is asked about has days of service."""
    if not claim.first("DTP", "472") and not claim.loops("2210D", "2210E"):
        yield Place(claim.segs[-1], "DTP*472 is missing: neither claim nor line has a day of service", segment="DTP")


@rule(
    "DATE_IN_FUTURE",
    sets="276 277 277CA",
    loop="2200B 2200C 2200D 2200E 2210D 2210E 2220D 2220E",
    level=4,
    source="A claim follows its service, a status what it speaks of",
    advice="Correct the date.",
    x12="8",
)
def dates_in_future(part: Part, tx: Tx) -> Places:
    """No service that is asked about, and no status, lies after the day of the file; an answer repeats what it got."""
    for _, last, seg in days(part, "472") if tx.set == "276" else ():
        if last > tx.today:
            yield Place(seg, f"DTP03 {at(seg, 3)} lies after the day of the file", 3, value=at(seg, 3))
    for stc in part.all("STC"):
        if len(at(stc, 2)) == 8 and at(stc, 2) > tx.today:
            yield Place(stc, f"STC02 {at(stc, 2)} lies after the day of the file", 2, value=at(stc, 2))


@rule(
    "DATE_ORDER",
    sets="276",
    loop="2200D 2200E",
    level=4,
    source="A service follows the patient's birth",
    advice="Correct the dates.",
    x12="8",
)
def service_after_birth(claim: Part, tx: Tx) -> Places:
    """No service lies before the patient's birth."""
    born = claim.parent.value("DMG", 2) if claim.parent else ""
    for first, _, seg in days(claim, "472"):
        if len(born) == 8 and first < born:
            yield Place(seg, f"The service of {first} lies before the patient's birth", 3, value=at(seg, 3))


@rule(
    "PAID_WITHOUT_AMOUNT",
    sets="277",
    loop="2200D 2200E",
    level=4,
    source="277 (X212), notes on STC05",
    advice="Send what was paid.",
    x12="I6",
)
def paid_without_amount(claim: Part, tx: Tx) -> Places:
    """A claim that was paid (F1) has its payment."""
    for stc in claim.all("STC"):
        category, paid = _category(at(stc, 1), tx), amount(stc, 5)
        if category == "F1" and not at(stc, 5):
            yield Place(stc, "STC05: a paid claim needs what was paid", 5)
        if category in ("F2", "F4") and paid:
            said = f"STC05 says that {at(stc, 5)} was paid, but the category {category} that nothing was"
            yield Place(stc, said, 5, value=at(stc, 5), code="DENIED_YET_PAID", x12="7")
        if at(stc, 9) and not at(stc, 8):
            yield Place(stc, "STC08: a payment's number comes with its day", 8, code="PAYMENT_DATE_MISSING")


@rule(
    "ACTION",
    sets="277CA",
    loop="2200B 2200C 2200D 2220D",
    level=4,
    source="277CA (X214), notes on STC03",
    advice="Send U with a category that rejects, WQ with one that accepts.",
    x12="7",
)
def action(part: Part, tx: Tx) -> Places:
    """STC03 agrees with the category."""
    for stc in part.all("STC"):
        category, said = _category(at(stc, 1), tx), at(stc, 3)
        expected = "U" if category in REJECTED else "WQ"
        if said in ("U", "WQ") and said != expected and category.startswith("A"):
            yield Place(stc, f"STC03 {said} does not agree with the category {category}", 3, value=said)


@rule("CLAIM_SUM", sets="277CA", loop="2200D", level=3, source="277CA (X214), notes on QTY and AMT")
def remember(claim: Part, tx: Tx) -> Places:
    """Keep the counts for the totals above."""
    statuses = claim.all("STC")
    rejected = any(_category(at(stc, 1), tx) in REJECTED for stc in statuses)
    charge = amount(statuses[0], 4) if statuses else None
    for key in ("file", "provider"):
        counts = tx.state.setdefault(key, [0, 0, 0, 0])
        counts[1 if rejected else 0] += 1
        if charge is None:
            counts[2:] = [None, None]
        elif counts[2] is not None:
            counts[3 if rejected else 2] += charge
    yield from ()


def _totals(part: Part, counts: list[int | None], names: tuple[str, str]) -> Places:
    """Counts and charges of claims, accepted and rejected; a charge that is unknown makes the sums unknown."""
    for position, name in enumerate(names):
        qty = part.first("QTY", name)
        text = at(qty, 2)
        if qty and text.isdigit() and int(text) != counts[position]:
            yield Place(qty, f"QTY*{name} says {text} claims, there are {counts[position]}", 2, value=text)
    for position, name in enumerate(("YU", "YY"), 2):
        amt = part.first("AMT", name)
        said = amount(amt, 2)
        known = counts[position]
        if amt and said is not None and known is not None and said != known:
            text = f"AMT*{name} says {dollars(said)}, the claims add up to {dollars(known)}"
            yield Place(amt, text, 2, value=at(amt, 2), code="CLAIM_AMOUNTS")


def _charge(part: Part, counts: list[int | None]) -> Places:
    """STC04 above the claims is the sum of all their charges."""
    accepted, rejected = counts[2], counts[3]
    for stc in part.all("STC"):
        said = amount(stc, 4)
        if said is not None and accepted is not None and rejected is not None and said != accepted + rejected:
            text = f"STC04 says {dollars(said)}, the claims add up to {dollars(accepted + rejected)}"
            yield Place(stc, text, 4, value=at(stc, 4), code="CLAIM_AMOUNTS")


@rule(
    "CLAIM_COUNTS",
    sets="277CA",
    loop="2000B",
    level=3,
    source="277CA (X214), notes on QTY and AMT in 2200B",
    advice="Correct the totals.",
)
def file_totals(level: Part, tx: Tx) -> Places:
    """The file's totals are those of its claims."""
    counts = tx.state.pop("file", None)
    for part in level.loops("2200B"):
        if counts:
            yield from _totals(part, counts, ("90", "AA"))
            yield from _charge(part, counts)


@rule(
    "CLAIM_COUNTS",
    sets="277CA",
    loop="2000C",
    level=3,
    source="277CA (X214), notes on QTY and AMT in 2200C",
    advice="Correct the totals.",
)
def provider_totals(level: Part, tx: Tx) -> Places:
    """A provider's totals are those of its claims."""
    counts = tx.state.pop("provider", None)
    for part in level.loops("2200C"):
        if counts:
            yield from _totals(part, counts, ("QA", "QC"))
            yield from _charge(part, counts)


@rule(
    "VERDICT",
    sets="999",
    loop="2000",
    level=4,
    source="999 (X231A1), notes on IK5",
    advice="Reject what has errors, or send E.",
    x12="7",
)
def verdict(answer: Part, tx: Tx) -> Places:
    """Keep the verdicts; a transaction with errors is not simply accepted."""
    ik5 = answer.first("IK5")
    tx.state.setdefault("verdicts", []).append(at(ik5, 1))
    if ik5 and at(ik5, 1) == "A" and answer.loops("2100"):
        yield Place(ik5, "IK501 accepts a transaction that has errors", 1, value="A")
    if ik5 and at(ik5, 1) == "R" and not at(ik5, 2):
        yield Place(ik5, "IK502: a rejected transaction needs the reason", 2, code="VERDICT_REASON", x12="I6")
    ak2 = answer.head
    seen = tx.state.setdefault("answered", set())
    if at(ak2, 2) and at(ak2, 2) in seen:
        yield Place(ak2, f"AK202 {at(ak2, 2)!r} was answered before", 2, value=at(ak2, 2), code="ANSWERED_TWICE")
    if len(seen) < 100_000:
        seen.add(at(ak2, 2))


@rule(
    "GROUP_VERDICT",
    sets="999",
    loop="transaction",
    level=4,
    source="999 (X231A1), notes on AK9",
    advice="Count the transactions and accept the group only with them.",
    x12="7",
)
def group_verdict(whole: Part, tx: Tx) -> Places:
    """AK9 agrees with the verdicts of the group's transactions."""
    ak9 = whole.first("AK9")
    verdicts = tx.state.get("verdicts", [])
    numbers = [at(ak9, position) for position in (2, 3, 4)]
    if ak9 is None or not all(number.isdigit() for number in numbers):
        return
    included, received, accepted = map(int, numbers)
    if len(verdicts) > min(included, received):
        position = 2 if len(verdicts) > included else 3
        said = f"AK9{position:02d} says {at(ak9, position)} transactions, but {len(verdicts)} are answered"
        yield Place(ak9, said, position, value=at(ak9, position))
    elif included != received and "5" not in ak9[0][5:]:
        yield Place(
            ak9, f"AK902 {included} and AK903 {received} differ, but no AK905 says so (5)", 2, value=str(included)
        )
    if at(ak9, 1) == "R" and accepted:
        yield Place(ak9, f"AK901 rejects a group of which {accepted} transactions are accepted", 1, value="R")
    good = sum(item in ("A", "E") for item in verdicts)
    if accepted > received:
        yield Place(ak9, f"AK904: {accepted} accepted of {received} received", 4, value=str(accepted))
    elif verdicts and len(verdicts) == received and accepted != good and not (at(ak9, 1) == "R" and accepted == 0):
        yield Place(ak9, f"AK904 says {accepted} accepted, the verdicts say {good}", 4, value=str(accepted))
    if verdicts and at(ak9, 1) == "A" and good < len(verdicts):
        yield Place(ak9, "AK901 accepts a group with rejected transactions", 1, value="A")
