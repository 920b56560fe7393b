"""276, 277 and 277CA: where a claim stands."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from libs.x12.records.common import (
    Amount,
    Contact,
    Envelope,
    Party,
    Quantity,
    Reference,
    Segment,
    Source,
    Trace,
    When,
)
from libs.x12.records.drafted import drafted
from libs.x12.records.later import Later, fill_in


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One statement about a claim or line (STC)."""

    category: str
    """STC01-1: A0 forwarded … A2 accepted, A3 A4 A6 A7 A8 rejected, P pending, F final, R request, E error, D none."""
    code: str
    """STC01-2: claim status code."""
    entity: str = ""
    """STC01-3: whom it concerns (85 billing provider, IL subscriber, PR payer, …)."""
    effective: date | None = None
    action: str = ""
    """STC03 (277CA): WQ accepted, U rejected."""
    charge_cents: int | None = None
    paid_cents: int | None = None
    """STC05 (277)."""
    paid_on: date | None = None
    method: str = ""
    check_date: date | None = None
    check_number: str = ""
    second: tuple[str, ...] = ()
    """STC10: category, code, entity."""
    third: tuple[str, ...] = ()
    """STC11."""
    message: str = ""
    """STC12."""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class LineStatus:
    """Where one line stands (2220)."""

    procedure: str = ""
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    charge_cents: int = 0
    paid_cents: int | None = None
    revenue_code: str = ""
    units: str = ""
    statuses: tuple[Status, ...] = ()
    line_control_number: str = ""
    """REF*FJ, our line number."""
    references: tuple[Reference, ...] = ()
    service_date: date | None = None
    service_end: date | None = None
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class StatusQuestion(Later):
    """What is asked about one claim (276 2200D or E)."""

    if not TYPE_CHECKING:
        __getattr__ = fill_in

    payer: Party
    receiver: Party
    """2100B, who asks."""
    provider: Party
    """2100C."""
    subscriber: Party
    dependent: Party | None = None
    trace: str = ""
    """TRN02, returned in the answer."""
    payer_control_number: str = ""
    """REF*1K."""
    pcn: str = ""
    """REF*EJ, our CLM01."""
    bill_type: str = ""
    group_number: str = ""
    references: tuple[Reference, ...] = ()
    charge_cents: int | None = None
    """AMT*T3."""
    service_date: date | None = None
    service_end: date | None = None
    lines: tuple[LineStatus, ...] = ()
    extra: tuple[Segment, ...] = ()
    defects: tuple[str, ...] = ()
    source: Source | None = field(default=None, init=False, compare=False, repr=False)


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class StatusInquiry:
    """A 276 transaction."""

    envelope: Envelope
    questions: tuple[StatusQuestion, ...]
    reference: str = ""
    created: datetime | None = None
    """When it was made (BHT04, BHT05); the interchange's own time when None."""
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAnswer(Later):
    """What the payer says of one claim, or at a higher level why it says nothing (277)."""

    if not TYPE_CHECKING:
        __getattr__ = fill_in

    payer: Party
    receiver: Party | None = None
    provider: Party | None = None
    subscriber: Party | None = None
    dependent: Party | None = None
    trace: str = ""
    """TRN02: the question's own."""
    statuses: tuple[Status, ...] = ()
    payer_control_number: str = ""
    """REF*1K."""
    pcn: str = ""
    """REF*EJ."""
    references: tuple[Reference, ...] = ()
    service_date: date | None = None
    service_end: date | None = None
    lines: tuple[LineStatus, ...] = ()
    extra: tuple[Segment, ...] = ()
    defects: tuple[str, ...] = ()
    source: Source | None = field(default=None, init=False, compare=False, repr=False)


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class StatusResponse:
    """A 277 transaction."""

    envelope: Envelope
    answers: tuple[StatusAnswer, ...]
    reference: str = ""
    created: datetime | None = None
    """When it was made (BHT04, BHT05); the interchange's own time when None."""
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A status at file or provider level with its counts (277CA 2200B, 2200C)."""

    trace: str = "0"
    statuses: tuple[Status, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    """QTY: 90 accepted, AA rejected (file); QA, QC (provider)."""
    amounts: tuple[Amount, ...] = ()
    """AMT: YU accepted, YY rejected."""
    references: tuple[Reference, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgedClaim(Later):
    """Whether one claim was taken into adjudication (277CA 2200D)."""

    if not TYPE_CHECKING:
        __getattr__ = fill_in

    pcn: str
    """TRN02: our CLM01."""
    statuses: tuple[Status, ...]
    patient: Party | None = None
    provider: Party | None = None
    """2100C; consecutive claims of one provider share its loop."""
    provider_tally: Tally | None = None
    payer_control_number: str = ""
    """REF*1K; keep it, a replacement or void needs it."""
    references: tuple[Reference, ...] = ()
    service_date: date | None = None
    service_end: date | None = None
    lines: tuple[LineStatus, ...] = ()
    extra: tuple[Segment, ...] = ()
    defects: tuple[str, ...] = ()
    source: Source | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def accepted(self) -> bool:
        """True unless a status rejects it (A3, A4, A6, A7, A8 or action U)."""
        rejected = {"A3", "A4", "A6", "A7", "A8"}
        return not any(s.action == "U" or s.category in rejected for s in self.statuses)


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAcknowledgement:
    """A 277CA transaction."""

    envelope: Envelope
    source: Party
    """2100A: payer or clearinghouse that answers."""
    receiver: Party
    """2100B: the submitter it answers."""
    claims: tuple[AcknowledgedClaim, ...] = ()
    reference: str = ""
    """BHT03."""
    created: datetime | None = None
    """When it was made (BHT04, BHT05); the interchange's own time when None."""
    trace: str = ""
    """TRN02 at 2200A, the answerer's own number."""
    received: date | None = None
    """DTP*050."""
    processed: date | None = None
    """DTP*009."""
    batch: Tally | None = None
    """2200B; its trace is the 837's BHT03. A whole file can be rejected here."""
    extra: tuple[Segment, ...] = ()


__all__ = [
    "AcknowledgedClaim", "ClaimAcknowledgement", "Contact", "LineStatus", "Status", "StatusAnswer",
    "StatusInquiry", "StatusQuestion", "StatusResponse", "Tally", "Trace", "When",
]  # fmt: skip
