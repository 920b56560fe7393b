"""Writing: records to an interchange, with every count, hierarchy and control number in place."""

from dataclasses import replace
from typing import Any

from libs.x12 import compile_write
from libs.x12.records import (
    ClaimAcknowledgement,
    ClaimFile,
    Delimiters,
    EligibilityInquiry,
    EligibilityResponse,
    Envelope,
    InterchangeAcknowledgement,
    OtherTransaction,
    Record,
    Remittance,
    StatusInquiry,
    StatusResponse,
    SyntaxAcknowledgement,
)
from libs.x12.transaction import Writing
from libs.x12.unwritable import Unwritable, check_values, forbidden

SETS = {
    Remittance: "835", EligibilityInquiry: "270", EligibilityResponse: "271", StatusInquiry: "276",
    StatusResponse: "277", ClaimAcknowledgement: "277CA", SyntaxAcknowledgement: "999",
}  # fmt: skip
#: The guides allow no more claims in one ST.
MOST_CLAIMS = 5000


def set_of(record: Record) -> str:
    """The set that a record is written as."""
    own = getattr(record, "set", "") if not isinstance(record, SyntaxAcknowledgement) else ""
    return own or SETS[type(record)]


def write(*records: Record) -> bytes:
    """One interchange holding these transactions, grouped by their kind; `Unwritable` for what cannot be sent.

    The first record's envelope is the interchange's. A claim file of more than 5,000 claims is split."""
    if not records:
        raise Unwritable("no transaction to write")
    envelope = records[0].envelope
    marks = envelope.delimiters if envelope.delimiters.repetition else replace(envelope.delimiters, repetition="^")
    parts = [part for record in records for part in _split(record)]
    body: list[str] = []
    groups = 0
    for run in _runs(parts):
        if isinstance(run[0], InterchangeAcknowledgement):
            body += [_ta1(record, marks) for record in run]
        else:
            groups += 1
            body += _group(run, envelope, marks, groups)
    control = f"{envelope.control_number:09d}"
    lines = [_isa(envelope, marks), *body, marks.element.join(("IEA", str(groups), control))]
    end = marks.segment + marks.line_break
    return (end.join(lines) + end).encode("latin-1")


def _split(record: Record) -> list[Record]:
    if not isinstance(record, ClaimFile) or len(record.claims) <= MOST_CLAIMS:
        return [record]
    return [
        replace(record, claims=record.claims[at : at + MOST_CLAIMS]) for at in range(0, len(record.claims), MOST_CLAIMS)
    ]


def _runs(records: list[Any]) -> list[list[Any]]:
    """Neighbours of the same set and guide share a functional group."""
    runs: list[list[Any]] = []
    for record in records:
        kind = (type(record), getattr(record, "set", ""))
        if runs and (type(runs[-1][0]), getattr(runs[-1][0], "set", "")) == kind:
            runs[-1].append(record)
        else:
            runs.append([record])
    return runs


def _group(records: list[Any], envelope: Envelope, marks: Delimiters, place: int) -> list[str]:
    """GS to GE."""
    first = records[0]
    if isinstance(first, OtherTransaction):
        raise Unwritable(f"a transaction of the set {first.set!r} has no specification to write it by")
    compiler = compile_write.writers(set_of(first), marks)
    spec = compiler.spec
    own = first.envelope
    version = own.version if "X" in own.version and not own.version.startswith("004") else spec.guides[0]
    number = str((own.group_control_number or envelope.control_number) + place - 1)
    made = (
        f"{envelope.created:%Y%m%d}",
        f"{envelope.created:%H%M%S}" if envelope.created.second else f"{envelope.created:%H%M}",
    )
    mark = marks.element
    sender, receiver = own.group_sender_id or own.sender_id, own.group_receiver_id or own.receiver_id
    out = [mark.join(("GS", spec.group, sender, receiver, *made, number, "X", version))]
    used: set[str] = set()
    for record in records:
        control = _control(record.envelope.transaction_control, used)
        writing = Writing(compiler, record)
        body = writing.run()
        check_values(writing.values, marks, record)
        st = ("ST", spec.st, control, version) if spec.st03 else ("ST", spec.st, control)
        out += [mark.join(st), *body, mark.join(("SE", str(len(body) + 2), control))]
    out.append(mark.join(("GE", str(len(records)), number)))
    return out


def _control(wanted: str, used: set[str]) -> str:
    """ST02, unique in its group."""
    control = wanted
    while control in used:
        control = f"{int(control) + 1:0{len(control)}d}" if control.isdigit() else f"{len(used) + 1:04d}"
    used.add(control)
    return control


def _isa(envelope: Envelope, marks: Delimiters) -> str:
    """The interchange's header, every element at its fixed length."""
    for name, value in (("sender_id", envelope.sender_id), ("receiver_id", envelope.receiver_id)):
        if not 1 <= len(value) <= 15 or forbidden(marks).search(value):
            raise Unwritable(f"{name} {value!r} must be 1 to 15 characters")
    if not 0 <= envelope.control_number <= 999_999_999:
        raise Unwritable(f"control number {envelope.control_number} has more than nine digits")
    made = envelope.created
    return marks.element.join(
        (
            "ISA", "00", " " * 10, "00", " " * 10, envelope.sender_qualifier, envelope.sender_id.ljust(15),
            envelope.receiver_qualifier, envelope.receiver_id.ljust(15), f"{made:%y%m%d}", f"{made:%H%M}",
            marks.repetition, "00501", f"{envelope.control_number:09d}",
            "1" if envelope.acknowledgment_requested else "0", envelope.usage, marks.component,
        )
    )  # fmt: skip


def _ta1(record: InterchangeAcknowledgement, marks: Delimiters) -> str:
    made = record.interchange_created
    return marks.element.join(
        ("TA1", f"{record.control_number:09d}", f"{made:%y%m%d}", f"{made:%H%M}", record.code, record.note)
    )
