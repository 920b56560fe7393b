"""Acknowledgements from our own findings: TA1, 999, 277CA, and the 271 or 277 that says why not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Literal

from libs.x12 import convert
from libs.x12.answers import answer_270, answer_276, answer_837
from libs.x12.codes import code_list
from libs.x12.findings import Finding, Partner
from libs.x12.records import (
    ElementError,
    Envelope,
    InterchangeAcknowledgement,
    Record,
    Segment,
    SegmentError,
    SyntaxAcknowledgement,
    TransactionVerdict,
)
from libs.x12.scan import Scan, at, clean
from libs.x12.tokens import InputSource, blocks
from libs.x12.unwritable import Unwritable
from libs.x12.writing import write

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
    "DELIMITER_CLASH": "027", "REPETITION_SEPARATOR": "026",
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
    scan = Scan(data, partner)
    reply = _reply_to(scan.envelope, control_number, created)
    made: list[Record] = []
    if as_ == "TA1":
        made = [_ta1(scan, reply)]
    elif as_ == "999":
        made = list(_999(scan, reply))
    elif as_ == "277CA":
        made = list(answer_837(data, scan, reply))
    elif as_ == "271":
        made = list(answer_270(data, scan, reply))
    elif as_ == "277":
        made = list(answer_276(data, scan, reply))
    if not made:
        raise Unwritable(f"the file calls for no {as_}")
    return write(*made)


def _bytes(source: InputSource) -> Iterator[bytes]:
    for block in blocks(source):
        yield block.text.encode("latin-1")


def _reply_to(envelope: Envelope, control_number: int, created: datetime | None) -> Envelope:
    """The way back, with something in place of what the file's own envelope has wrong."""
    known = ("01", "14", "20", "27", "28", "29", "30", "33", "ZZ")
    there, back = envelope.sender_qualifier, envelope.receiver_qualifier
    return Envelope(
        sender_id=clean(envelope.receiver_id)[:15] or "UNKNOWN",
        receiver_id=clean(envelope.sender_id)[:15] or "UNKNOWN",
        sender_qualifier=back if back in known else "ZZ",
        receiver_qualifier=there if there in known else "ZZ",
        control_number=control_number,
        created=created or envelope.created,
        usage=envelope.counts_as,
        group_sender_id=clean(envelope.group_receiver_id)[:15],
        group_receiver_id=clean(envelope.group_sender_id)[:15],
    )


def _ta1(scan: Scan, reply: Envelope) -> InterchangeAcknowledgement:
    """The interchange's verdict: rejected for what makes it unusable, E for what is wrong and yet readable."""
    note, code = "000", "A"
    for finding in (*scan.findings, *scan.noted):
        found = _TA1_CODES.get(finding.code) or (finding.code == "ISA_ELEMENT" and _ISA_CODES.get(finding.element or 0))
        if found:
            note, code = found, "R" if finding.severity == "error" else "E"
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


def _999(scan: Scan, reply: Envelope) -> Iterator[SyntaxAcknowledgement]:
    """One 999 for each group that holds something to be acknowledged."""
    for place, (gs, sets) in enumerate(scan.groups):
        answerable = [entry for entry in sets if at(entry[0], 1) in code_list("sets")]
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
            group_id=at(gs, 1)[:2] or "HC",
            group_control=at(gs, 6)[:9] or "0",
            group_version=at(gs, 8)[:12] or "005010",
            code=code,
            included=len(sets),
            received=len(sets),
            accepted=0 if code == "R" else accepted,
            reasons=reasons,
            transactions=tuple(verdicts),
        )


def _group_reasons(scan: Scan, place: int) -> tuple[str, ...]:
    """Why a whole group is not accepted."""
    found = [
        f for f in scan.findings if f.code in _GROUP_CODES and (len(scan.groups) == 1 or _group_of(scan, f) == place)
    ]
    return tuple(dict.fromkeys(_GROUP_CODES[f.code] for f in found))[:5]


def _group_of(scan: Scan, finding: Finding) -> int:
    starts = [sets[0][1] - 1 if sets else 0 for _, sets in scan.groups]
    return max((i for i, start in enumerate(starts) if start <= finding.segment_index), default=0)


def _verdict(scan: Scan, entry: tuple[list[str], int, str]) -> TransactionVerdict:
    """A transaction's verdict with its segments in error, in the order of the file; E when they are but warnings."""
    st, start, _ = entry
    later = [other[1] for _, sets in scan.groups for other in sets if other[1] > start]
    end = min(later, default=10**12)
    own = [f for f in scan.noted if start <= f.segment_index < end and f.position]
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
    rejected = bool(reasons) or any(f.severity == "error" for f in syntax)
    if syntax:
        reasons.append("5")
    return TransactionVerdict(
        set=at(st, 1),
        control=at(st, 2)[:9].ljust(4, "0"),
        version=at(st, 3)[:35],
        code="R" if rejected else "E" if reasons else "A",
        reasons=tuple(dict.fromkeys(reasons))[:5],
        errors=tuple(_segment_errors(syntax[:MOST_ERRORS], of_claims=at(st, 1) == "837")),
    )


def _is_syntax(finding: Finding) -> bool:
    return (
        bool(finding.x12)
        and finding.code not in _TRANSACTION_CODES
        and finding.code not in _GROUP_CODES
        and (finding.level in SYNTAX_LEVELS or finding.x12.startswith("I"))
    )


def _segment_errors(findings: list[Finding], *, of_claims: bool) -> Iterator[SegmentError]:
    """IK3 for each segment with whose it is, and an IK4 for each of its elements; only an 837 names its claims."""
    grouped: dict[tuple[int, str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: f.position):
        key = (finding.position, finding.segment, "8" if finding.element is not None else finding.x12)
        grouped.setdefault(key, []).append(finding)
    for (position, segment, code), entries in grouped.items():
        elements = tuple(_element_error(entry) for entry in entries if entry.element is not None)
        contexts: tuple[Segment, ...] = ()
        claim = next((entry.claim for entry in entries if entry.claim), "")
        if claim and of_claims:
            contexts = (("CTX", f"CLM01:{clean(claim)[:35]}"),)
        name = segment if segment.isalnum() and 2 <= len(segment) <= 3 and segment.isupper() else "ZZZ"
        yield SegmentError(
            segment=name, position=position, loop=entries[0].loop[:4], code=code, contexts=contexts, elements=elements
        )


def _element_error(finding: Finding) -> ElementError:
    value = "" if finding.x12 in ("5", "6", "I12") else clean(finding.value)[:99]
    return ElementError(
        position=finding.element or 0,
        component=finding.component,
        repetition=finding.repetition,
        reference=finding.data_element,
        code=finding.x12 if finding.x12 in _IK403 else "7",
        value=value,
    )


_IK403 = frozenset(
    ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "I6", "I9", "I10", "I11", "I12", "I13"]
)
