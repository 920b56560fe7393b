"""The envelope of a transaction as a record, from what its ISA, GS and ST say."""

from datetime import datetime

from libs.x12 import convert
from libs.x12.records import Delimiters, Envelope
from libs.x12.tokens import Header


def at(e: list[str], position: int) -> str:
    """An element without the blanks around it, or an empty text."""
    return e[position].strip() if len(e) > position else ""


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def envelope_of(isa: list[str], gs: list[str], st: list[str], header: Header) -> Envelope:
    """The envelope of a transaction; what cannot be read stands empty."""
    try:
        created = convert.stamp((at(isa, 9), at(isa, 10)))
    except ValueError:
        created = datetime(1, 1, 1)  # noqa: DTZ001 - X12 times have no zone
    return Envelope(
        sender_id=at(isa, 6),
        receiver_id=at(isa, 8),
        control_number=_whole(at(isa, 13)),
        created=created,
        sender_qualifier=at(isa, 5),
        receiver_qualifier=at(isa, 7),
        usage=at(isa, 15),
        acknowledgment_requested=at(isa, 14) == "1",
        group_sender_id=at(gs, 2),
        group_receiver_id=at(gs, 3),
        group_control_number=_whole(at(gs, 6)),
        transaction_control=at(st, 2),
        version=at(st, 3) or at(gs, 8),
        delimiters=Delimiters(
            element=header.element,
            component=header.component,
            repetition=header.repetition,
            segment=header.segment,
            line_break=header.line_break,
        ),
    )
