"""A claim and its lifecycle: pure, the whole of it on one screen."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self

from libs.codes.procedures import family, procedure


class Status(StrEnum):
    DRAFT = "draft"
    WAITING = "waiting"
    HELD = "held"
    READY = "ready"
    IN_DOUBT = "in_doubt"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PAID = "paid"
    PARTIALLY_PAID = "partially_paid"
    DENIED = "denied"
    CORRECTING = "correcting"
    APPEALED = "appealed"
    FORWARDED = "forwarded"
    PATIENT_DUE = "patient_due"
    CLOSED = "closed"
    VOID = "void"


class Step(StrEnum):
    PASS = "pass"  # noqa: S105  every gate is open
    WAIT = "wait"
    HOLD = "hold"
    REVISE = "revise"
    TRANSMIT = "transmit"
    CONFIRM = "confirm"
    NEVER_ARRIVED = "never_arrived"
    REFUSE = "refuse"
    ACCEPT = "accept"
    REJECT = "reject"
    PAY = "pay"
    PAY_PARTLY = "pay_partly"
    DENY = "deny"
    BILL_NEXT = "bill_next"
    FORWARD = "forward"
    LEAVE_TO_PATIENT = "leave_to_patient"
    REVERSE = "reverse"
    CORRECT = "correct"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    WRITE_OFF = "write_off"
    VOID = "void"


UNSENT = (Status.DRAFT, Status.WAITING, Status.HELD, Status.READY)
WORKED_ON = (*UNSENT, Status.CORRECTING, Status.REJECTED)
AT_PAYER = (Status.IN_DOUBT, Status.SUBMITTED, Status.ACCEPTED)
ADJUDICATED = (Status.PAID, Status.PARTIALLY_PAID, Status.DENIED, Status.PATIENT_DUE, Status.APPEALED, Status.CLOSED)

NEXT: dict[tuple[Status, Step], Status] = {
    # before it is sent: scrubbed until every gate is open
    **{(s, Step.PASS): Status.READY for s in (*WORKED_ON[:3], Status.CORRECTING, Status.REJECTED)},
    **{(s, Step.WAIT): Status.WAITING for s in WORKED_ON},
    **{(s, Step.HOLD): Status.HELD for s in WORKED_ON},
    **{(s, Step.REVISE): Status.DRAFT for s in UNSENT},
    **{(s, Step.VOID): Status.VOID for s in (*UNSENT, Status.REJECTED)},
    # the 837 is stored and numbered, its outcome unknown until somebody knows
    (Status.READY, Step.TRANSMIT): Status.IN_DOUBT,
    (Status.IN_DOUBT, Step.CONFIRM): Status.SUBMITTED,
    (Status.IN_DOUBT, Step.NEVER_ARRIVED): Status.READY,
    (Status.IN_DOUBT, Step.REFUSE): Status.HELD,
    # acknowledgements may overtake our own confirmation
    **{(s, Step.ACCEPT): Status.ACCEPTED for s in (Status.IN_DOUBT, Status.SUBMITTED)},
    **{(s, Step.REJECT): Status.REJECTED for s in AT_PAYER},
    # the payer's decision, also before its 277CA, a second time, or after a rejection that was none
    **{(s, Step.PAY): Status.PAID for s in (*AT_PAYER, Status.REJECTED, *ADJUDICATED)},
    **{(s, Step.PAY_PARTLY): Status.PARTIALLY_PAID for s in (*AT_PAYER, Status.REJECTED, *ADJUDICATED)},
    **{(s, Step.DENY): Status.DENIED for s in (*AT_PAYER, Status.REJECTED, *ADJUDICATED)},
    **{
        (s, Step.LEAVE_TO_PATIENT): Status.PATIENT_DUE
        for s in (*UNSENT, *AT_PAYER, Status.REJECTED, Status.FORWARDED, *ADJUDICATED)
    },
    **{(s, Step.REVERSE): Status.ACCEPTED for s in (*AT_PAYER, *ADJUDICATED)},
    # what this payer leaves to the patient goes to the next one, by us or by the payer itself
    **{(s, Step.BILL_NEXT): Status.DRAFT for s in (*AT_PAYER, Status.REJECTED, Status.FORWARDED, *ADJUDICATED)},
    **{(s, Step.FORWARD): Status.FORWARDED for s in (*AT_PAYER, Status.REJECTED, *ADJUDICATED)},
    (Status.FORWARDED, Step.PAY): Status.PAID,
    (Status.FORWARDED, Step.PAY_PARTLY): Status.PARTIALLY_PAID,
    (Status.FORWARDED, Step.DENY): Status.DENIED,
    # what a person makes of a denial
    **{(s, Step.CORRECT): Status.CORRECTING for s in (Status.DENIED, Status.PARTIALLY_PAID, Status.APPEALED)},
    **{(s, Step.APPEAL): Status.APPEALED for s in (Status.DENIED, Status.PARTIALLY_PAID)},
    (Status.APPEALED, Step.UPHOLD): Status.DENIED,
    **{(s, Step.WRITE_OFF): Status.CLOSED for s in (Status.DENIED, Status.PARTIALLY_PAID, Status.APPEALED)},
}

OWNER: dict[Status, str] = {
    Status.DRAFT: "parity",
    Status.WAITING: "billing",
    Status.HELD: "billing",
    Status.READY: "parity",
    Status.IN_DOUBT: "parity",
    Status.SUBMITTED: "clearinghouse",
    Status.ACCEPTED: "payer",
    Status.REJECTED: "billing",
    Status.PAID: "nobody",
    Status.PARTIALLY_PAID: "billing",
    Status.DENIED: "billing",
    Status.CORRECTING: "billing",
    Status.APPEALED: "payer",
    Status.FORWARDED: "payer",
    Status.PATIENT_DUE: "patient",
    Status.CLOSED: "nobody",
    Status.VOID: "nobody",
}
"""Who acts next, where the reasons of a claim do not name somebody nearer."""

LIFECYCLES = {"A claim": NEXT}


class IllegalStep(Exception):
    """The claim's state does not allow the step."""

    def __init__(self, status: Status, step: Step) -> None:
        super().__init__(f"a claim that is {status} cannot take the step {step}")
        self.status, self.step = status, step


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One service of a claim; `reason` says how its code came about."""

    id: str
    code: str
    modifiers: tuple[str, ...] = ()
    units: int = 1
    charge_cents: int | None = None
    """None until the charge master or the EHR names it."""
    pointers: tuple[int, ...] = (1,)
    minutes: int | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        assert self.units >= 1, "a line bills at least one unit"
        assert self.charge_cents is None or self.charge_cents >= 0, "a line never bills a negative amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the claim says to the payer, as it now stands: from the encounter, then as corrected."""

    place_of_service: str
    modality: str
    diagnoses: tuple[str, ...]
    lines: tuple[Line, ...]
    authorization_number: str | None = None
    route_payer_id: str | None = None
    """A person sent the claim to this payer, whatever eligibility said."""
    route_member_id: str | None = None
    only_lines: tuple[str, ...] = ()
    """A new original carries these lines only, because the payer has paid the others; empty: all of them."""
    accepted: tuple[str, ...] = ()
    """Findings that a person has looked at and accepted."""

    @property
    def charge_cents(self) -> int:
        return sum(line.charge_cents or 0 for line in self.lines)

    @property
    def sent_lines(self) -> tuple[Line, ...]:
        """The lines that the next submission carries."""
        return tuple(line for line in self.lines if not self.only_lines or line.id in self.only_lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim for one encounter, at one payer at a time: `rank` says whose turn it is, the first payer's or a later."""

    id: str
    encounter_id: str
    practice_id: str
    patient_id: str
    external_id: str
    service_date: date
    content: Content
    provider_npi: str
    provider_id: str | None = None
    payer_id: str | None = None
    rank: int = 1
    status: Status = Status.DRAFT
    version: int = 0
    """0 until it has gone on from where it was made, and is there for others."""
    reasons: tuple[str, ...] = ()
    owner: str = "parity"
    clean: bool = True
    attempts: int = 0
    frequency: str = "1"
    """Of the next submission: 1, or 7 for a replacement."""
    submission_id: str | None = None
    """The latest submission."""
    payer_control_number: str | None = None
    authorization_id: str | None = None
    cut_at: datetime | None = None
    traceparent: str | None = None
    """The trace in which its session came in."""

    @property
    def charge_cents(self) -> int:
        return self.content.charge_cents

    @property
    def code_family(self) -> str:
        """The family of the leading service, never its code."""
        for line in self.content.lines:
            known = procedure(line.code, self.service_date)
            if known is not None and not known.add_on:
                return known.family
        return family(self.content.lines[0].code, self.service_date) if self.content.lines else "other"

    def can(self, step: Step) -> bool:
        """Whether the table has the step; what no payer has decided on yet is not left to the patient."""
        undecided = step is Step.LEAVE_TO_PATIENT and self.status in UNSENT and self.rank == 1
        return (self.status, step) in NEXT and not undecided

    def take(self, step: Step, **changes: Any) -> Self:
        """The claim after `step`; a new version, never a mutation."""
        if not self.can(step):
            raise IllegalStep(self.status, step)
        status = NEXT[self.status, step]
        owner = changes.pop("owner", OWNER[status])
        reasons = changes.pop("reasons", ())
        return replace(self, status=status, version=self.version + 1, owner=owner, reasons=reasons, **changes)
