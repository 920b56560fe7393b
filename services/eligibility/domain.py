"""Authorized units, and which sessions get them: pure, and the same whatever the order in which news arrived."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Self

NEARLY_USED_PERCENT: Final = 80
ENDING_DAYS: Final = 14


class Status(StrEnum):
    """Where a request for authorization stands with the payer."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PENDED = "pended"
    APPROVED = "approved"
    PARTIALLY_APPROVED = "partially_approved"
    DENIED = "denied"
    VOIDED = "voided"


class Step(StrEnum):
    SUBMIT = "submit"
    PEND = "pend"
    APPROVE = "approve"
    APPROVE_PARTLY = "approve_partly"
    DENY = "deny"
    VOID = "void"


NEXT: Final[dict[tuple[Status, Step], Status]] = {
    (Status.DRAFT, Step.SUBMIT): Status.SUBMITTED,
    (Status.DRAFT, Step.APPROVE): Status.APPROVED,  # told by telephone or portal
    (Status.DRAFT, Step.VOID): Status.VOIDED,
    (Status.SUBMITTED, Step.PEND): Status.PENDED,
    (Status.SUBMITTED, Step.APPROVE): Status.APPROVED,
    (Status.SUBMITTED, Step.APPROVE_PARTLY): Status.PARTIALLY_APPROVED,
    (Status.SUBMITTED, Step.DENY): Status.DENIED,
    (Status.SUBMITTED, Step.VOID): Status.VOIDED,
    (Status.PENDED, Step.APPROVE): Status.APPROVED,
    (Status.PENDED, Step.APPROVE_PARTLY): Status.PARTIALLY_APPROVED,
    (Status.PENDED, Step.DENY): Status.DENIED,
    (Status.PENDED, Step.VOID): Status.VOIDED,
    (Status.PARTIALLY_APPROVED, Step.APPROVE): Status.APPROVED,  # after an appeal
    (Status.DENIED, Step.APPROVE): Status.APPROVED,
    (Status.DENIED, Step.APPROVE_PARTLY): Status.PARTIALLY_APPROVED,
    (Status.APPROVED, Step.VOID): Status.VOIDED,
    (Status.PARTIALLY_APPROVED, Step.VOID): Status.VOIDED,
}
LIFECYCLES: Final = {"An authorization": NEXT}
USABLE: Final = frozenset({Status.APPROVED, Status.PARTIALLY_APPROVED})


class IllegalStep(Exception):
    """The authorization cannot take this step from where it stands."""

    def __init__(self, status: Status, step: Step) -> None:
        super().__init__(f"an authorization that is {status} cannot {step}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What a payer allows a patient: so many units of some codes between two dates, both inclusive.

    `kind` is prior (prior authorization) or eap (sessions of an employee assistance program). No codes: any code.
    """

    id: str
    patient_id: str
    practice_id: str
    payer_id: str
    kind: str = "prior"
    status: Status = Status.APPROVED
    number: str | None = None
    codes: tuple[str, ...] = ()
    unit: str = "visit"
    approved_units: int
    reserved_units: int = 0
    consumed_units: int = 0
    effective_from: date
    effective_to: date
    rendering_npi: str | None = None
    version: int = 1

    @property
    def available_units(self) -> int:
        return self.approved_units - self.reserved_units - self.consumed_units

    @property
    def nearly_used(self) -> bool:
        """Whether 80 % of the units are taken; one of 1 unit always is, so it takes two."""
        taken = self.reserved_units + self.consumed_units
        return self.approved_units > 1 and taken * 100 >= self.approved_units * NEARLY_USED_PERCENT

    @property
    def ending_on(self) -> date:
        """From when somebody should see to what follows it."""
        return self.effective_to - timedelta(days=ENDING_DAYS)

    def take(self, step: Step) -> Self:
        """The authorization after `step`; a new version, never a mutation."""
        try:
            status = NEXT[self.status, step]
        except KeyError:
            raise IllegalStep(self.status, step) from None
        return replace(self, status=status, version=self.version + 1)

    def counted(self, *, reserved_units: int, consumed_units: int) -> Self:
        """The next version, with its units counted anew."""
        return replace(self, reserved_units=reserved_units, consumed_units=consumed_units, version=self.version + 1)

    def decided(self, *, number: str | None, approved_units: int | None) -> Self:
        """With the number and the units that the payer's decision brought; what it does not say stays."""
        return replace(
            self,
            number=number or self.number,
            approved_units=self.approved_units if approved_units is None else approved_units,
        )

    def fits(self, want: "Want") -> bool:
        """Whether it is for this payer, kind, clinician, code and date; units are not looked at."""
        return (
            self.status in USABLE
            and self.payer_id == want.payer_id
            and self.practice_id == want.practice_id
            and self.kind == want.kind
            and self.effective_from <= want.service_date <= self.effective_to
            and self.rendering_npi in (None, want.rendering_npi)
            and (not self.codes or all(code in self.codes for code in want.units_by_code))
        )

    def units_for(self, want: "Want") -> int:
        """What the session takes: one visit or day, or the units of its codes where units are minutes."""
        return sum(want.units_by_code.values()) if self.unit.startswith("unit") else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A session that needs authorized units, and those it has.

    `fixed`: a claim for it has gone to the payer, so it keeps what it has.
    """

    encounter_id: str
    external_id: str
    practice_id: str
    payer_id: str
    kind: str
    service_date: date
    rendering_npi: str
    units_by_code: dict[str, int]
    number: str | None = None
    """The authorization that the session itself names."""
    otherwise: str | None = None
    """What the session is without units, where it does not strictly need them."""
    fixed: bool = False
    authorization_id: str | None = None
    units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one session got: reserved with units, or missing, exhausted, unknown without."""

    outcome: str
    authorization_id: str | None = None
    units: int = 0


def allocate(grants: Iterable[Authorization], wants: Iterable[Want]) -> dict[str, Share]:
    """The share of each session, in the order of service date and external id.

    What has been claimed keeps its units. An exact number, then an authorization for exactly these codes and this
    clinician, then the one that ends first. A number that we have no record of is passed on as unknown.
    """
    usable = sorted(grants, key=lambda grant: grant.id)
    ordered = sorted(wants, key=lambda want: (want.service_date, want.external_id, want.encounter_id))
    left = {grant.id: grant.approved_units for grant in usable}
    shares: dict[str, Share] = {}
    for want in ordered:
        if want.fixed and want.authorization_id is not None:
            left[want.authorization_id] = left.get(want.authorization_id, 0) - want.units
            shares[want.encounter_id] = Share(
                outcome="reserved", authorization_id=want.authorization_id, units=want.units
            )
    for want in ordered:
        if want.encounter_id not in shares:
            shares[want.encounter_id] = _share(usable, want, left)
    return shares


def _share(grants: list[Authorization], want: Want, left: dict[str, int]) -> Share:
    fitting = [grant for grant in grants if grant.fits(want)]
    named = [grant for grant in fitting if want.number is not None and grant.number == want.number]
    if want.number is not None and not named and all(grant.number != want.number for grant in grants):
        return Share(outcome=want.otherwise or "unknown")
    for grant in sorted(named or fitting, key=lambda grant: _closeness(grant, want)):
        units = grant.units_for(want)
        if units <= left[grant.id]:
            left[grant.id] -= units
            return Share(outcome="reserved", authorization_id=grant.id, units=units)
    return Share(outcome=want.otherwise or ("exhausted" if fitting else "missing"))


def _closeness(grant: Authorization, want: Want) -> tuple[bool, bool, date, str]:
    return (
        set(grant.codes) != set(want.units_by_code),
        grant.rendering_npi is None,
        grant.effective_to,
        grant.id,
    )


RETRY_AFTER: Final = (
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=24),
)
"""Business time between questions to a payer that cannot answer now; after the last one a person looks."""


def retry_after(attempt: int) -> timedelta | None:
    """How long to wait after the given attempt (from 1); None when it is time for a person."""
    return RETRY_AFTER[attempt - 1] if attempt <= len(RETRY_AFTER) else None
