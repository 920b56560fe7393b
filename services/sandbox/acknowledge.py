"""TA1, 999 and 277CA: what the clearinghouse and the payer say on receipt of a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from services.sandbox.claims837 import Claim
from services.sandbox.guide import BadSegment, check
from services.sandbox.intake837 import Refusal
from services.sandbox.segments import (
    Group,
    Header,
    Interchange,
    Segment,
    TransactionSet,
    Writer,
    clean,
    day,
    element,
    money,
    plain,
    without_group,
)

CLEARINGHOUSE = "PARITYCH"
_GUIDES = {"837": ("HC", "005010X222A1", "837p"), "270": ("HS", "005010X279A1", "270")}


def ta1(isa: Segment, note: str, *, control_number: int, created: datetime) -> bytes:
    """The verdict on an envelope: accepted with note 000, else rejected."""
    header = Header(
        sender=isa[8].strip() or CLEARINGHOUSE,
        receiver=isa[6].strip(),
        control_number=control_number,
        created=created,
        functional_id="",
        version="",
        usage=isa[15],
    )
    code = "A" if note == "000" else "R"
    return without_group(header, ("TA1", isa[13], isa[9], isa[10], code, note))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a 999 says of one transaction set: IK501, IK502 and what stands under them."""

    transaction: TransactionSet
    reasons: tuple[str, ...]
    errors: tuple[BadSegment, ...]

    @property
    def accepted(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a 999 says of one group: of each of its sets, and of the group itself (AK905 codes)."""

    group: Group
    verdicts: tuple[Verdict, ...]
    reasons: tuple[str, ...]

    @property
    def accepted(self) -> tuple[TransactionSet, ...]:
        """The sets that go on; none where the group as a whole does not."""
        return () if self.reasons else tuple(one.transaction for one in self.verdicts if one.accepted)


def judge(group: Group) -> Judgement:
    """Every set of the group against its guide."""
    verdicts = []
    numbers: set[str] = set()
    for transaction in group.sets:
        reasons = _trailer(transaction)
        if transaction.control in numbers:
            reasons.append("23")
        numbers.add(transaction.control)
        known = _GUIDES.get(transaction.kind)
        errors = tuple(check(known[2], transaction.segments)) if known and transaction.closed else ()
        if known is None:
            reasons.append("1")
        if errors:
            reasons.append("5")
        verdicts.append(Verdict(transaction=transaction, reasons=tuple(reasons), errors=errors))
    return Judgement(group=group, verdicts=tuple(verdicts), reasons=_group_reasons(group))


def _trailer(transaction: TransactionSet) -> list[str]:
    if not transaction.closed:
        return ["2"]
    trailer = transaction.segments[-1]
    found = []
    if element(trailer, 2) != transaction.control:
        found.append("3")
    if element(trailer, 1) != str(len(transaction.segments)):
        found.append("4")
    return found


def _group_reasons(group: Group) -> tuple[str, ...]:
    found = []
    kinds = {transaction.kind for transaction in group.sets}
    expected = [known for kind, known in _GUIDES.items() if kind in kinds]
    if any(element(group.header, 1) != known[0] for known in expected):
        found.append("1")
    if any(element(group.header, 8) != known[1] for known in expected):
        found.append("2")
    if group.trailer is None or element(group.trailer, 2) != element(group.header, 6):
        found.append("4")
    if group.trailer is not None and element(group.trailer, 1) != str(len(group.sets)):
        found.append("5")
    return tuple(found)


def write_999(interchange: Interchange, judged: Judgement, *, control_number: int, created: datetime) -> bytes:
    """The syntax verdict on one group, naming segment and element of each fault."""
    group, verdicts = judged.group, judged.verdicts
    writer = Writer(
        Header(
            sender=interchange.receiver,
            receiver=interchange.sender,
            control_number=control_number,
            created=created,
            functional_id="FA",
            version="005010X231A1",
            usage=interchange.isa[15],
        )
    )
    writer.begin("999")
    head = group.header
    writer.add("AK1", element(head, 1), element(head, 6), element(head, 8))
    for verdict in verdicts:
        first = verdict.transaction.segments[0]
        writer.add("AK2", verdict.transaction.kind, verdict.transaction.control, element(first, 3))
        for error in verdict.errors:
            _write_error(writer, error, verdict.transaction)
        writer.add("IK5", "A" if verdict.accepted else "R", *verdict.reasons[:5])
    accepted = len(judged.accepted)
    code = "A" if accepted == len(verdicts) else "P" if accepted else "R"
    included = element(group.trailer, 1) if group.trailer else str(len(verdicts))
    writer.add("AK9", code, included, str(len(verdicts)), str(accepted), *judged.reasons[:5])
    writer.end()
    return writer.bytes()


def _write_error(writer: Writer, error: BadSegment, transaction: TransactionSet) -> None:
    writer.add("IK3", error.segment, str(error.position), error.loop, error.code)
    pcn = _claim_around(transaction, error.position)
    if pcn:
        writer.add("CTX", f"CLM01:{_copied(pcn)}")
    for bad in error.elements:
        place = f"{bad.position}:{bad.component}" if bad.component else str(bad.position)
        writer.add("IK4", place, "", bad.code, _copied(bad.value)[:99])


def _copied(value: str) -> str:
    """A copy of what was sent, without what would cut the segment that carries it."""
    return clean(value).replace(":", " ").replace("^", " ")


def _claim_around(transaction: TransactionSet, position: int) -> str:
    """The patient control number of the claim in which a segment stands."""
    for segment in reversed(transaction.segments[:position]):
        if segment[0] == "CLM":
            return element(segment, 1)
        if segment[0] == "HL":
            return ""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One claim with what intake decided: a claim number, or refusals."""

    claim: Claim
    icn: str
    refusals: tuple[Refusal, ...]

    @property
    def accepted(self) -> bool:
        return not self.refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Who speaks in a 277CA: the payer, or the clearinghouse where it knows no such payer."""

    code: str
    name: str
    qualifier: str
    id: str


def write_277ca(
    taken: Iterable[Taken],
    answerer: Answerer,
    submitter: tuple[str, str, str],
    *,
    header: Header,
    reference: str,
    received: date,
) -> bytes:
    """The business verdict on every claim that went to one payer; `submitter` is name, id, batch reference."""
    claims = list(taken)
    name, submitter_id, batch = submitter
    today = day(header.created)
    writer = Writer(header)
    writer.begin("277")
    writer.add("BHT", "0085", "08", reference, today, f"{header.created:%H%M}", "TH")
    writer.add("HL", "1", "", "20", "1")
    writer.add("NM1", answerer.code, "2", answerer.name, "", "", "", "", answerer.qualifier, answerer.id)
    writer.add("TRN", "1", reference)
    writer.add("DTP", "050", "D8", day(received))
    writer.add("DTP", "009", "D8", today)
    writer.add("HL", "2", "1", "21", "1")
    writer.add("NM1", "41", "2", plain(name), "", "", "", "", "46", submitter_id)
    writer.add("TRN", "2", batch)
    writer.add("STC", f"A1:19:{answerer.code}", today, "WQ", money(sum(t.claim.charge_cents for t in claims)))
    _tally(writer, claims, "90", "AA")
    level = 2
    for npi, of_provider in groupby(claims, key=lambda t: t.claim.billing.id):
        part = list(of_provider)
        level += 1
        provider = level
        writer.add("HL", str(level), "2", "19", "1")
        writer.add("NM1", "85", "2", plain(part[0].claim.billing.last), "", "", "", "", "XX", npi)
        writer.add("TRN", "1", "0")
        total = money(sum(t.claim.charge_cents for t in part))
        writer.add("STC", f"A1:19:{answerer.code}", "", "WQ", total)
        _tally(writer, part, "QA", "QC")
        for one in part:
            level += 1
            _write_claim(writer, one, answerer, today, level, provider)
    writer.end()
    return writer.bytes()


def _tally(writer: Writer, taken: list[Taken], accepted: str, rejected: str) -> None:
    good = [one.claim.charge_cents for one in taken if one.accepted]
    bad = [one.claim.charge_cents for one in taken if not one.accepted]
    for qualifier, charges in ((accepted, good), (rejected, bad)):
        if charges:
            writer.add("QTY", qualifier, str(len(charges)))
    for qualifier, charges in (("YU", good), ("YY", bad)):
        if charges:
            writer.add("AMT", qualifier, money(sum(charges)))


def _write_claim(writer: Writer, one: Taken, answerer: Answerer, today: str, level: int, parent: int) -> None:
    claim = one.claim
    patient = claim.patient
    number = patient.id or claim.subscriber.id
    writer.add("HL", str(level), str(parent), "PT")
    writer.add("NM1", "QC", "1", plain(patient.last), plain(patient.first), "", "", "", "MI", number)
    writer.add("TRN", "2", claim.pcn)
    charge = money(claim.charge_cents)
    if one.accepted:
        writer.add("STC", f"A2:20:{answerer.code}", today, "WQ", charge)
        writer.add("REF", "1K", one.icn)
    for refusal in _of_claim(one):
        writer.add("STC", _status(refusal), today, "U", charge)
    dates = sorted(line.date for line in claim.lines)
    if dates[0] == dates[-1]:
        writer.add("DTP", "472", "D8", day(dates[0]))
    else:
        writer.add("DTP", "472", "RD8", f"{day(dates[0])}-{day(dates[-1])}")
    for line in claim.lines:
        found = [refusal for refusal in one.refusals if refusal.line == line.number]
        if found:
            writer.add("SVC", ":".join(("HC", line.code, *line.modifiers)), money(line.charge_cents))
            first, second, third = [*map(_status, found[:3]), "", ""][:3]
            writer.add("STC", first, today, "U", *[""] * 6, second, third)
            if line.control_number:
                writer.add("REF", "FJ", line.control_number)
            writer.add("DTP", "472", "D8", day(line.date))


def _of_claim(one: Taken) -> list[Refusal]:
    """The refusals at claim level; where only lines are wrong, the claim says so (247, line information)."""
    own = [refusal for refusal in one.refusals if refusal.line is None]
    if own or one.accepted:
        return own
    return [Refusal(category=one.refusals[0].category, status="247")]


def _status(refusal: Refusal) -> str:
    return ":".join(part for part in (refusal.category, refusal.status, refusal.entity) if part)
