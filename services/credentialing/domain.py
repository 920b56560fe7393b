"""Numbers that identify practices and clinicians, licence levels, and the life of an enrollment; pure."""

import re
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Self

from libs.codes import npi
from libs.codes.taxonomies import taxonomy

CAQH_ATTESTATION_DAYS: Final = 120
"""A profile must be attested again within this time; source: CAQH ProView, provider guide."""
NOTICE_DAYS: Final[dict[str, tuple[int, ...]]] = {
    "licence": (120, 90, 60, 30, 14, 7, 0),
    "caqh_attestation": (30, 14, 7, 0),  # it lives for 120 days only: earlier notices would never be silent
}
"""How many days before a credential ends somebody is told, by its kind."""


def is_npi(text: str) -> bool:
    """Ten digits that begin with 1 or 2, and whose check digit is right (45 CFR 162.406)."""
    return text[:1] in ("1", "2") and npi.valid(text)


def is_tin(text: str) -> bool:
    """Nine digits, no dash, not a number that was never issued."""
    return re.fullmatch(r"[0-9]{9}", text) is not None and len(set(text)) > 1


def is_taxonomy(text: str) -> bool:
    """The form of a Health Care Provider Taxonomy code: ten characters, the last an X."""
    return re.fullmatch(r"[0-9]{3}[0-9A-Z]{6}X", text) is not None


def is_post_box(line: str) -> bool:
    """Whether an address line names a post office box or lock box, where nobody can be treated."""
    return re.search(r"\bp\.?\s*o\.?\s*box\b|\bpost\s+office\s+box\b|\block\s*box\b", line, re.IGNORECASE) is not None


UNLICENSED: Final = frozenset({"technician", "trainee"})
"""Levels that states do not license to practise on their own."""


def level_of(taxonomy_code: str) -> str:
    """The licence level that payers price by; `other` for a taxonomy that is not known here."""
    found = taxonomy(taxonomy_code)
    return found.level if found else "other"


class Status(StrEnum):
    """Where an enrollment stands between the practice and the payer."""

    COLLECTING = "collecting"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    INFO_REQUESTED = "info_requested"
    APPROVED = "approved"
    LOADED = "loaded"
    EFFECTIVE = "effective"
    TERMINATED = "terminated"
    DENIED = "denied"
    PANEL_CLOSED = "panel_closed"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    SUBMIT = "submit"
    RECEIVE = "receive"
    REQUEST_INFO = "request_info"
    ANSWER = "answer"
    APPROVE = "approve"
    LOAD = "load"
    BEGIN = "begin"
    TERMINATE = "terminate"
    REINSTATE = "reinstate"
    DENY = "deny"
    CLOSE_PANEL = "close_panel"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"


NEXT: Final[dict[tuple[Status, Step], Status]] = {
    (Status.COLLECTING, Step.SUBMIT): Status.SUBMITTED,
    (Status.COLLECTING, Step.WITHDRAW): Status.WITHDRAWN,
    (Status.SUBMITTED, Step.RECEIVE): Status.IN_REVIEW,
    (Status.SUBMITTED, Step.REQUEST_INFO): Status.INFO_REQUESTED,
    (Status.SUBMITTED, Step.APPROVE): Status.APPROVED,
    (Status.SUBMITTED, Step.CLOSE_PANEL): Status.PANEL_CLOSED,
    (Status.SUBMITTED, Step.DENY): Status.DENIED,
    (Status.SUBMITTED, Step.WITHDRAW): Status.WITHDRAWN,
    (Status.IN_REVIEW, Step.REQUEST_INFO): Status.INFO_REQUESTED,
    (Status.IN_REVIEW, Step.APPROVE): Status.APPROVED,
    (Status.IN_REVIEW, Step.DENY): Status.DENIED,
    (Status.IN_REVIEW, Step.CLOSE_PANEL): Status.PANEL_CLOSED,
    (Status.IN_REVIEW, Step.WITHDRAW): Status.WITHDRAWN,
    (Status.INFO_REQUESTED, Step.ANSWER): Status.IN_REVIEW,
    (Status.INFO_REQUESTED, Step.DENY): Status.DENIED,
    (Status.INFO_REQUESTED, Step.WITHDRAW): Status.WITHDRAWN,
    (Status.APPROVED, Step.LOAD): Status.LOADED,  # the payer's claim system knows the clinician
    (Status.APPROVED, Step.WITHDRAW): Status.WITHDRAWN,
    (Status.LOADED, Step.BEGIN): Status.EFFECTIVE,  # the effective date has come
    (Status.LOADED, Step.TERMINATE): Status.TERMINATED,
    (Status.EFFECTIVE, Step.TERMINATE): Status.TERMINATED,
    (Status.TERMINATED, Step.REINSTATE): Status.LOADED,
    (Status.DENIED, Step.REOPEN): Status.COLLECTING,
    (Status.PANEL_CLOSED, Step.REOPEN): Status.COLLECTING,
    (Status.WITHDRAWN, Step.REOPEN): Status.COLLECTING,
}

LIFECYCLES: Final = {"An enrollment with a payer": NEXT}

IN_PROGRESS: Final = frozenset({
    Status.COLLECTING, Status.SUBMITTED, Status.IN_REVIEW, Status.INFO_REQUESTED, Status.APPROVED,
})  # fmt: skip
ON_FILE: Final = frozenset({Status.LOADED, Status.EFFECTIVE, Status.TERMINATED})
"""The payer has, or had, the clinician on file: dates of service within the span can be billed."""


class IllegalStep(Exception):
    """The enrollment cannot take this step from where it stands."""

    def __init__(self, status: Status, step: Step) -> None:
        super().__init__(f"an enrollment that is {status} cannot {step}")


class Undated(Exception):
    """A step needs dates that are missing or contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """A clinician's enrollment with one payer for one practice; both dates of the span inclusive.

    `location_ids` None: every location of the practice. `published` counts the truths told in enrollment.changed.
    """

    id: str
    provider_id: str
    practice_id: str
    payer_id: str
    status: Status = Status.COLLECTING
    status_since: date
    location_ids: tuple[str, ...] | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    payer_loaded_on: date | None = None
    payer_reference: str | None = None
    requested_from: date | None = None
    next_follow_up: date | None = None
    reason: str | None = None
    version: int = 1

    def take(self, step: Step, *, on: date) -> Self:
        """The enrollment after `step`; a new version, never a mutation."""
        try:
            status = NEXT[self.status, step]
        except KeyError:
            raise IllegalStep(self.status, step) from None
        return self.changed(status=status, status_since=on)

    def changed(self, **changes: object) -> Self:
        """The next version with these changes, its dates in order."""
        changed = replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]
        changed.check_dates()
        return changed

    def check_dates(self) -> None:
        """Raises Undated where a span is needed and missing, or ends before it begins."""
        if self.status in ON_FILE and (self.effective_from is None or self.payer_loaded_on is None):
            raise Undated("an enrollment on file with the payer has effective_from and payer_loaded_on")
        if self.status is Status.TERMINATED and self.effective_to is None:
            raise Undated("a terminated enrollment has effective_to")
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            raise Undated("effective_to is before effective_from")


FOLLOW_UP_DAYS: Final[dict[Status, int]] = {
    Status.SUBMITTED: 14,
    Status.IN_REVIEW: 21,
    Status.INFO_REQUESTED: 7,
    Status.APPROVED: 14,
}
"""Days after which somebody asks the payer again how an application stands."""


def follow_up_on(status: Status, since: date) -> date | None:
    """When somebody should ask the payer about it again; None where nothing is awaited."""
    days = FOLLOW_UP_DAYS.get(status)
    return None if days is None else since + timedelta(days=days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A licence, or the attestation of a CAQH profile; valid from and to, both inclusive."""

    id: str
    provider_id: str
    kind: str
    state: str | None
    number: str
    type: str
    effective_from: date
    expires_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinician:
    """A person who treats patients (Type 1 NPI), in one or more practices."""

    id: str
    practice_ids: tuple[str, ...]
    npi: str
    first_name: str
    last_name: str
    taxonomy: str
    credential: str | None = None
    status: str = "active"
    caqh_id: str | None = None
    caqh_attested_on: date | None = None
    licences: tuple[Credential, ...] = field(default=())
    version: int = 1

    @property
    def level(self) -> str:
        return level_of(self.taxonomy)


def next_notice(kind: str, expires_on: date, after: date) -> date | None:
    """The next day on which somebody is told that a credential ends, later than `after`."""
    days = [expires_on - timedelta(days=n) for n in NOTICE_DAYS[kind]]
    return next((day for day in sorted(days) if day > after), None)
