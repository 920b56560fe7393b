"""999 and TA1: was it well-formed."""

from dataclasses import dataclass
from datetime import datetime

from libs.x12.records.common import Envelope, Segment
from libs.x12.records.drafted import drafted


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ElementError:
    """What is wrong with an element (IK4)."""

    position: int
    code: str
    """IK403: 1 missing, 4 short, 5 long, 6 character, 7 code, 8 date, 9 time, 10 exclusion, …"""
    component: int | None = None
    repetition: int | None = None
    reference: str = ""
    """Data element number of the dictionary."""
    value: str = ""
    """A copy of the bad value."""
    contexts: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentError:
    """What is wrong with a segment (IK3)."""

    segment: str
    position: int
    """From the ST, which is 1."""
    loop: str = ""
    code: str = ""
    """IK304: 1 unknown, 2 unexpected, 3 required missing, 4 loop too often, 5 segment too often, 6 not in set,
    7 order, 8 has element errors, I4 not used, I6 situational missing, …"""
    contexts: tuple[Segment, ...] = ()
    """CTX segments as they stand."""
    elements: tuple[ElementError, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionVerdict:
    """One transaction's verdict (AK2, IK5)."""

    set: str
    control: str
    version: str = ""
    code: str = "A"
    """IK501: A accepted, E accepted with errors, R rejected, M W X security."""
    reasons: tuple[str, ...] = ()
    """IK502 to 06."""
    errors: tuple[SegmentError, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxAcknowledgement:
    """A 999: the verdict on one functional group."""

    envelope: Envelope
    group_id: str
    """AK101, such as HC for an 837."""
    group_control: str
    group_version: str = ""
    code: str = "A"
    """AK901: A, E, P partly, R."""
    included: int = 1
    received: int = 1
    accepted: int = 1
    reasons: tuple[str, ...] = ()
    transactions: tuple[TransactionVerdict, ...] = ()
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class InterchangeAcknowledgement:
    """A TA1: the verdict on one interchange's envelope."""

    envelope: Envelope
    control_number: int
    """TA101: the ISA13 that it answers."""
    interchange_created: datetime
    code: str = "A"
    """TA104: A accepted, E accepted with errors, R rejected."""
    note: str = "000"
    """TA105."""
