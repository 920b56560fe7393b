"""Acknowledgements from our own findings: TA1, 999, 277CA, and the 271 or 277 that says why not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from libs.x12 import convert
from libs.x12.checking import Checker
from libs.x12.codes import code_list
from libs.x12.findings import Finding, Partner
from libs.x12.reading import Reading, Transaction
from libs.x12.records import (
    AcknowledgedClaim,
    Amount,
    Claim,
    ClaimAcknowledgement,
    ClaimFile,
    ElementError,
    EligibilityAnswer,
    EligibilityInquiry,
    EligibilityResponse,
    Envelope,
    InterchangeAcknowledgement,
    Party,
    Quantity,
    Record,
    Rejection,
    Segment,
    SegmentError,
    Status,
    StatusAnswer,
    StatusInquiry,
    StatusResponse,
    SyntaxAcknowledgement,
    Tally,
    TransactionVerdict,
)
from libs.x12.tokens import InputSource, blocks
from libs.x12.writing import Unwritable, write

Kind = Literal["999", "TA1", "277CA", "271", "277"]
#: Findings about balances, situations and code sets are for the 277CA; syntax is for the 999.
SYNTAX_LEVELS = (1, 2)
#: One 999 need not list more.
MOST_ERRORS = 500
_TRANSACTION_CODES = {
    "SE_MISSING": "2",
    "SE_CONTROL": "3",
    "SE_COUNT": "4",
    "ST_DUPLICATE": "23",
    "SET_UNKNOWN": "1",
    "TRANSACTION_EMPTY": "5",
}
_GROUP_CODES = {
    "GE_MISSING": "3",
    "GE_CONTROL": "4",
    "GE_COUNT": "5",
    "GS_DUPLICATE": "19",
    "GROUP_ID": "1",
    "GS_ELEMENT": "1",
}
_TA1_CODES = {
    "ISA_DUPLICATE": "025", "IEA_MISSING": "023", "IEA_COUNT": "021", "IEA_CONTROL": "001", "ISA_LENGTH": "022",
    "DELIMITER_CLASH": "027",
}  # fmt: skip
_ISA_CODES = {
    1: "010", 2: "011", 3: "012", 4: "013", 5: "005", 6: "006", 7: "007", 8: "008", 9: "014", 10: "015", 11: "026",
    12: "017", 13: "018", 14: "019", 15: "020", 16: "027",
}  # fmt: skip


def acknowledge(
    source: InputSource,
    as_: Kind,
    *,
    control_number: int = 1,
    created: datetime | None = None,
    partner: Partner | None = None,
) -> bytes:
    """The interchange that answers a file, from our own findings; `Unwritable` when it calls for no such answer.

    A 999 or TA1 is never acknowledged itself. `created` is the answer's own time (the file's when None)."""
    data = source if isinstance(source, bytes) else b"".join(_bytes(source))
    scan = _Scan(data, partner)
    reply = _reply_to(scan.envelope, control_number, created)
    made: list[Record] = []
    if as_ == "TA1":
        made = [_ta1(scan, reply)]
    elif as_ == "999":
        made = list(_999(scan, reply))
    elif as_ == "277CA":
        made = list(_277ca(data, scan, reply))
    elif as_ == "271":
        made = list(_271(data, scan, reply))
    elif as_ == "277":
        made = list(_277(data, scan, reply))
    if not made:
        raise Unwritable(f"the file calls for no {as_}")
    return write(*made)


def _bytes(source: InputSource) -> Iterator[bytes]:
    for block in blocks(source):
        yield block.text.encode("latin-1")


class _Scan:
    """The file's groups and transactions with their findings."""

    def __init__(self, data: bytes, partner: Partner | None) -> None:
        checker = Checker(data, partner)
        self.findings = [finding for finding in checker.findings() if finding.severity == "error"]
        self.groups: list[tuple[list[str], list[tuple[list[str], int, str]]]] = []
        self.first: list[str] = []
        self.header: Any = None
        index = -1
        sets = iter(checker.summaries)
        for block in blocks(data):
            for text in block.segments:
                index += 1
                name = text[:3].rstrip(block.header.element)
                if name == "ISA" and not self.first:
                    self.first, self.header = block.header.elements, block.header
                elif name == "GS":
                    self.groups.append((text.split(block.header.element), []))
                elif name == "ST":
                    if not self.groups:
                        self.groups.append(([], []))
                    summary = next(sets, None)
                    self.groups[-1][1].append((text.split(block.header.element), index, summary.set if summary else ""))

    @property
    def envelope(self) -> Envelope:
        """The file's own."""
        from libs.x12.reading import envelope_of

        if self.header is None:
            raise Unwritable("not an X12 file")
        return envelope_of(self.first, self.groups[0][0] if self.groups else [], [], self.header)


def _reply_to(envelope: Envelope, control_number: int, created: datetime | None) -> Envelope:
    """The way back, with something in place of what the file's own envelope has wrong."""
    known = ("01", "14", "20", "27", "28", "29", "30", "33", "ZZ")
    there, back = envelope.sender_qualifier, envelope.receiver_qualifier
    return Envelope(
        sender_id=_clean(envelope.receiver_id)[:15] or "UNKNOWN",
        receiver_id=_clean(envelope.sender_id)[:15] or "UNKNOWN",
        sender_qualifier=back if back in known else "ZZ",
        receiver_qualifier=there if there in known else "ZZ",
        control_number=control_number,
        created=created or envelope.created,
        usage=envelope.usage if envelope.usage in ("P", "T") else "P",
        group_sender_id=_clean(envelope.group_receiver_id)[:15],
        group_receiver_id=_clean(envelope.group_sender_id)[:15],
    )


def _ta1(scan: _Scan, reply: Envelope) -> InterchangeAcknowledgement:
    """The interchange's verdict: rejected for what makes it unusable, else accepted."""
    note, code = "000", "A"
    for finding in scan.findings:
        found = _TA1_CODES.get(finding.code) or (finding.code == "ISA_ELEMENT" and _ISA_CODES.get(finding.element or 0))
        if found:
            note, code = found, "R"
            break
    text = scan.first[13] if len(scan.first) > 13 else ""
    try:
        made = convert.stamp((scan.first[9], scan.first[10]))
    except (ValueError, IndexError):
        made = reply.created
    return InterchangeAcknowledgement(
        envelope=reply,
        control_number=int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0,
        interchange_created=made,
        code=code,
        note=note,
    )


def _999(scan: _Scan, reply: Envelope) -> Iterator[SyntaxAcknowledgement]:
    """One 999 for each group that holds something to be acknowledged."""
    for place, (gs, sets) in enumerate(scan.groups):
        answerable = [entry for entry in sets if _at(entry[0], 1) in code_list("sets")]
        if not answerable:
            continue
        verdicts = [_verdict(scan, entry) for entry in answerable]
        accepted = sum(verdict.code in ("A", "E") for verdict in verdicts)
        reasons = _group_reasons(scan, place)
        code = (
            "A"
            if all(v.code == "A" for v in verdicts)
            else "E"
            if accepted == len(verdicts)
            else "P"
            if accepted
            else "R"
        )
        if reasons:
            code = "R"
        yield SyntaxAcknowledgement(
            envelope=replace(reply, transaction_control=f"{place + 1:04d}"),
            group_id=_at(gs, 1)[:2] or "HC",
            group_control=_at(gs, 6)[:9] or "0",
            group_version=_at(gs, 8)[:12],
            code=code,
            included=len(sets),
            received=len(sets),
            accepted=0 if code == "R" else accepted,
            reasons=reasons,
            transactions=tuple(verdicts),
        )


def _group_reasons(scan: _Scan, place: int) -> tuple[str, ...]:
    """Why a whole group is not accepted."""
    found = [
        f for f in scan.findings if f.code in _GROUP_CODES and (len(scan.groups) == 1 or _group_of(scan, f) == place)
    ]
    return tuple(dict.fromkeys(_GROUP_CODES[f.code] for f in found))[:5]


def _group_of(scan: _Scan, finding: Finding) -> int:
    starts = [sets[0][1] - 1 if sets else 0 for _, sets in scan.groups]
    return max((i for i, start in enumerate(starts) if start <= finding.segment_index), default=0)


def _verdict(scan: _Scan, entry: tuple[list[str], int, str]) -> TransactionVerdict:
    """A transaction's verdict with its segments in error, in the order of the file."""
    st, start, _ = entry
    later = [other[1] for _, sets in scan.groups for other in sets if other[1] > start]
    end = min(later, default=10**12)
    own = [f for f in scan.findings if start <= f.segment_index < end and f.position]
    syntax = [f for f in own if _is_syntax(f)]
    reasons = list(
        dict.fromkeys(
            _TRANSACTION_CODES[f.code]
            for f in scan.findings
            if f.code in _TRANSACTION_CODES
            and start <= f.segment_index <= end
            and (f.position or f.code == "SE_MISSING")
        )
    )
    if syntax:
        reasons.append("5")
    return TransactionVerdict(
        set=_at(st, 1),
        control=_at(st, 2)[:9].ljust(4, "0"),
        version=_at(st, 3)[:35],
        code="R" if reasons else "A",
        reasons=tuple(dict.fromkeys(reasons))[:5],
        errors=tuple(_segment_errors(syntax[:MOST_ERRORS])),
    )


def _is_syntax(finding: Finding) -> bool:
    return (
        bool(finding.x12)
        and finding.code not in _TRANSACTION_CODES
        and finding.code not in _GROUP_CODES
        and (finding.level in SYNTAX_LEVELS or finding.x12.startswith("I"))
    )


def _segment_errors(findings: list[Finding]) -> Iterator[SegmentError]:
    """IK3 for each segment, with an IK4 for each of its elements."""
    grouped: dict[tuple[int, str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: f.position):
        key = (finding.position, finding.segment, "8" if finding.element is not None else finding.x12)
        grouped.setdefault(key, []).append(finding)
    for (position, segment, code), entries in grouped.items():
        elements = tuple(_element_error(entry) for entry in entries if entry.element is not None)
        contexts: tuple[Segment, ...] = ()
        claim = next((entry.claim for entry in entries if entry.claim), "")
        if claim:
            contexts = (("CTX", f"CLM01:{_clean(claim)[:35]}"),)
        name = segment if segment.isalnum() and 2 <= len(segment) <= 3 and segment.isupper() else "ZZZ"
        yield SegmentError(
            segment=name, position=position, loop=entries[0].loop[:4], code=code, contexts=contexts, elements=elements
        )


def _element_error(finding: Finding) -> ElementError:
    value = "" if finding.x12 in ("5", "6", "I12") else _clean(finding.value)[:99]
    return ElementError(
        position=finding.element or 0,
        component=finding.component,
        repetition=finding.repetition,
        reference=finding.data_element,
        code=finding.x12 if finding.x12 in _IK403 else "7",
        value=value,
    )


_IK403 = frozenset(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "I6", "I9", "I10", "I11", "I12", "I13"])


def _clean(text: str) -> str:
    """A value without anything that the answer's own delimiters would break on."""
    return "".join(c for c in text if " " <= c <= "~" and c not in "*:^~").strip()


def _at(e: list[str], position: int) -> str:
    return e[position].strip() if len(e) > position else ""


# -- business answers


def _claim_files(data: bytes) -> Iterator[tuple[Transaction, ClaimFile]]:
    for transaction in Reading(data):
        if transaction.set in ("837P", "837I"):
            record = transaction.record
            assert isinstance(record, ClaimFile)
            yield transaction, record


#: Finding code to (category, claim status code, entity): what a claim's rejection says.
STATUS_OF = {
    "CLAIM_CHARGE": ("A8", "178", ""), "NEGATIVE_CHARGE": ("A7", "178", ""), "ORIGINAL_REFERENCE": ("A6", "464", ""),
    "DIAGNOSIS_POINTER": ("A8", "477", ""), "DIAGNOSIS": ("A7", "254", ""), "DIAGNOSIS_VERSION": ("A7", "254", ""),
    "PROCEDURE": ("A7", "454", ""), "MODIFIER": ("A7", "453", ""), "NPI": ("A7", "562", "85"),
    "DATE_IN_FUTURE": ("A7", "187", ""), "DATE_ORDER": ("A8", "187", ""), "COB_LINE_BALANCE": ("A8", "400", ""),
    "COB_CLAIM_BALANCE": ("A8", "400", ""), "COB_PAID": ("A8", "400", ""), "TAXONOMY": ("A7", "145", "85"),
    "SUBSCRIBER_INCOMPLETE": ("A6", "125", "IL"), "SUBSCRIBER_PATIENT": ("A8", "125", "IL"),
    "PRIOR_PAYER_MISSING": ("A6", "286", ""), "UNITS": ("A7", "476", ""), "POSTAL_CODE": ("A7", "500", "85"),
}  # fmt: skip


def _277ca(data: bytes, scan: _Scan, reply: Envelope) -> Iterator[ClaimAcknowledgement]:
    """Every claim accepted, or rejected with what our findings of any level say of it."""
    for transaction, file in _claim_files(data):
        control = transaction.control
        start = next((i for _, sets in scan.groups for st, i, _ in sets if _at(st, 2) == control), 0)
        own = [f for f in scan.findings if f.transaction == control and f.segment_index >= start]
        yield claim_acknowledgement(file, own, reply)


def claim_acknowledgement(file: ClaimFile, findings: list[Finding], reply: Envelope) -> ClaimAcknowledgement:
    """The 277CA for a claim file: its claims accepted but for those that a finding concerns."""
    day = reply.created.date()
    wrong: dict[int, list[Finding]] = {}
    general: list[Finding] = []
    for finding in findings:
        owner = next(
            (i for i, c in enumerate(file.claims) if c.source and c.source.start <= finding.offset < c.source.end), None
        )
        if owner is None and finding.claim:
            owner = next((i for i, c in enumerate(file.claims) if c.pcn == finding.claim), None)
        if owner is None:
            general.append(finding)
        else:
            wrong.setdefault(owner, []).append(finding)
    claims = []
    for index, claim in enumerate(file.claims):
        reasons = wrong.get(index) or [f for f in general if _concerns(f, claim)]
        claims.append(_acknowledged(claim, reasons, day))
    counts = [claim.accepted for claim in claims]
    charges = [claim.charge_cents for claim in file.claims]
    accepted, rejected = counts.count(True), counts.count(False)
    yes = sum(c for c, ok in zip(charges, counts, strict=True) if ok)
    no = sum(charges) - yes
    return ClaimAcknowledgement(
        envelope=reply,
        source=Party(
            code="AY",
            name=_clean(file.receiver.name) or "RECEIVER",
            id_qualifier="46",
            id=_clean(file.receiver.id) or reply.sender_id,
        ),
        receiver=replace(
            _named(file.submitter, "46", ""), id_qualifier="46", id=_clean(file.submitter.id) or reply.receiver_id
        ),
        reference=f"{reply.control_number}",
        trace=f"{reply.control_number}",
        created=reply.created,
        received=day,
        processed=day,
        batch=Tally(
            trace=_clean(file.reference) or "0",
            statuses=(
                Status(category="A1", code="19", entity="AY", effective=day, action="WQ", charge_cents=yes + no),
            ),
            quantities=_quantities(("90", accepted), ("AA", rejected)),
            amounts=_amounts(("YU", yes), ("YY", no)),
        ),
        claims=tuple(claims),
    )


def _quantities(*pairs: tuple[str, int]) -> tuple[Quantity, ...]:
    return tuple(Quantity(qualifier=name, quantity=Decimal(count)) for name, count in pairs if count)


def _amounts(*pairs: tuple[str, int]) -> tuple[Amount, ...]:
    return tuple(Amount(qualifier=name, amount_cents=value) for name, value in pairs if value)


def _concerns(finding: Finding, claim: Claim) -> bool:
    """A finding above the claims concerns those beneath it."""
    if finding.loop in ("2000B", "2010BA", "2010BB"):
        subscriber = claim.source.start if claim.source else 0
        return 0 <= subscriber - finding.offset < 5_000 and not finding.claim
    return finding.loop in ("1000A", "1000B", "2000A", "2010AA", "2010AB")


def _acknowledged(claim: Claim, reasons: list[Finding], day: Any) -> AcknowledgedClaim:
    statuses = [
        Status(category=category, code=code, entity=entity, effective=day, action="U", charge_cents=claim.charge_cents)
        for category, code, entity in dict.fromkeys(STATUS_OF.get(f.code, ("A7", "21", "")) for f in reasons)
    ]
    accepted = Status(
        category="A2", code="20", entity="AY", effective=day, action="WQ", charge_cents=claim.charge_cents
    )
    person = claim.patient.party if claim.patient else claim.subscriber.party
    days = [line.service_date for line in claim.lines if line.service_date]
    return AcknowledgedClaim(
        pcn=_clean(claim.pcn) or "0",
        statuses=tuple(statuses) or (accepted,),
        provider=_named(claim.billing_provider, "FI", claim.billing_provider.tax_id),
        patient=_named(replace(person, person=True), "MI", claim.subscriber.party.id),
        service_date=min(days, default=None),
        service_end=max(days) if len(set(days)) > 1 else None,
    )


def _named(party: Party, qualifier: str, fallback: str) -> Party:
    """A party's name and number alone, with something in place of what the file lacks."""
    known = bool(party.id and party.id_qualifier in ("XX", "MI", "II", "FI", "SV"))
    return Party(
        name=_clean(party.name) or "UNKNOWN",
        first_name=_clean(party.first_name),
        middle_name=_clean(party.middle_name),
        suffix=_clean(party.suffix),
        person=party.person,
        id_qualifier=party.id_qualifier if known else qualifier,
        id=_clean(party.id if known else fallback) or "000000000",
    )


def _271(data: bytes, scan: _Scan, reply: Envelope) -> Iterator[EligibilityResponse]:
    """AAA for every question of a 270 that has findings."""
    for transaction in Reading(data):
        record = transaction.record
        if not isinstance(record, EligibilityInquiry):
            continue
        wrong = [f for f in scan.findings if f.transaction == transaction.control]
        answers = [_refused(question, _aaa(wrong)) for question in record.questions if wrong]
        if answers:
            yield EligibilityResponse(
                envelope=reply, reference=record.reference, created=reply.created, answers=tuple(answers)
            )


#: Segment and element of a finding to (reason, follow-up, level) of an AAA.
_AAA = {
    ("2100A", "NM1"): ("79", "C", "2100A"), ("2100B", "NM1"): ("43", "C", "2100B"), ("2100C", "NM1"): ("72", "C", "2100C"),
    ("2100C", "DMG"): ("58", "C", "2100C"), ("2100C", "DTP"): ("57", "C", "2100C"), ("2110C", "EQ"): ("15", "C", "2100C"),
    ("2100D", "NM1"): ("73", "C", "2100D"), ("2100D", "DMG"): ("58", "C", "2100D"),
}  # fmt: skip


def _aaa(findings: list[Finding]) -> tuple[Rejection, ...]:
    found = dict.fromkeys(_AAA.get((f.loop, f.segment), ("15", "C", "")) for f in findings)
    return tuple(Rejection(reason=reason, follow_up=follow, level=level) for reason, follow, level in found)[:9]


def _refused(question: Any, rejections: tuple[Rejection, ...]) -> EligibilityAnswer:
    traces = tuple(replace(trace, kind="2") for trace in question.traces)
    return EligibilityAnswer(
        payer=question.payer,
        provider=question.provider,
        subscriber=question.subscriber,
        dependent=question.dependent,
        relationship="",
        traces=traces,
        rejections=rejections,
    )


def _277(data: bytes, scan: _Scan, reply: Envelope) -> Iterator[StatusResponse]:
    """Status E0 for every question of a 276 that has findings."""
    for transaction in Reading(data):
        record = transaction.record
        if not isinstance(record, StatusInquiry):
            continue
        wrong = [f for f in scan.findings if f.transaction == transaction.control]
        day = reply.created.date()
        answers = tuple(
            StatusAnswer(
                payer=question.payer,
                receiver=question.receiver,
                provider=question.provider,
                subscriber=replace(question.subscriber, birth_date=None, gender=""),
                dependent=question.dependent,
                trace=question.trace or "0",
                statuses=(Status(category="E0", code="21", effective=day),),
                pcn=question.pcn,
                payer_control_number=question.payer_control_number,
            )
            for question in record.questions
            if wrong
        )
        if answers:
            yield StatusResponse(envelope=reply, reference=record.reference, created=reply.created, answers=answers)
