"""Which analytics table each event feeds, column by column: the whole mapping, as data.

Each table is fed by one topic. A row is replaced only by a newer one (`ordinal`), or only by an older one, or written
once, so that any interleaving of topics gives the same tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from libs.common.events import CATALOG, Envelope, Event

Row = dict[str, Any]
Column = Callable[[Envelope[Event]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """One topic becomes a table; `ordinal` decides between two events of the same key."""

    topic: str
    table: str
    key: str
    fields: tuple[str, ...]
    """Fields of the event that become columns of the same name."""
    columns: Mapping[str, Column]
    """Further columns and how they are read."""
    ordinal: Column = lambda event: event.sequence
    source_in_key: bool = False
    """The key is unique per producing service only."""
    only: Callable[[Envelope[Event]], bool] = lambda _: True
    """Which events make a row."""

    def row(self, event: Envelope[Event]) -> Row:
        """The row that this event makes."""
        found: Row = {"tenant_id": event.tenantid, "ordinal": self.ordinal(event), "event_id": event.id}
        found |= {name: _plain(getattr(event.data, name)) for name in self.fields}
        found |= {name: _plain(column(event)) for name, column in self.columns.items()}
        if self.source_in_key:
            found["source"] = event.source
        return found

    @property
    def keys(self) -> tuple[str, ...]:
        return ("tenant_id", "source", self.key) if self.source_in_key else ("tenant_id", self.key)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _time(event: Envelope[Event]) -> Any:
    return event.time


_AT: Mapping[str, Column] = {"at": _time}
BUCKETS = (
    "billed_cents",
    "credits_cents",
    "payer_paid_cents",
    "patient_paid_cents",
    "contractual_cents",
    "written_off_cents",
    "withheld_cents",
    "patient_cents",
    "denied_open_cents",
    "in_flight_cents",
)


def _bucket(name: str) -> Column:
    return lambda event: getattr(event.data.buckets, name)  # type: ignore[attr-defined]


_OPEN = "practice_id", "payer_id"

PROJECTIONS: tuple[Projection, ...] = (
    Projection(
        topic="encounter.created",
        table="encounter",
        key="encounter_id",
        fields=(
            "encounter_id",
            "claim_id",
            "practice_id",
            "patient_id",
            "code_family",
            "charge_cents",
            "collected_cents",
            "revision",
        ),
        columns=_AT,
        ordinal=lambda event: event.data.revision,  # type: ignore[attr-defined]
    ),
    Projection(
        topic="claim.updated",
        table="claim",
        key="claim_id",
        fields=(
            "claim_id",
            "encounter_id",
            "practice_id",
            "patient_id",
            "provider_id",
            "payer_id",
            "rank",
            "status",
            "reasons",
            "owner",
            "code_family",
            "charge_cents",
            "clean",
            "attempts",
        ),
        columns=_AT,
    ),
    Projection(
        topic="claim.submitted",
        table="submission",
        key="submission_id",
        fields=(
            "submission_id",
            "claim_id",
            "practice_id",
            "patient_id",
            "provider_id",
            "payer_id",
            "rank",
            "attempt",
            "frequency",
            "clean",
            "charge_cents",
            "submitted_on",
        ),
        columns=_AT,
    ),
    Projection(
        topic="payment.posted",
        table="payment",
        key="posting_id",
        fields=(
            "posting_id",
            "claim_id",
            "era_id",
            "practice_id",
            "payer_id",
            "rank",
            "entry",
            "outcome",
            "claim_status",
            "paid_cents",
            "contractual_cents",
            "patient_cents",
            "denied_cents",
            "paid_on",
        ),
        columns=_AT,
    ),
    Projection(
        topic="payment.posted",
        table="first_decision",
        key="claim_id",
        fields=("claim_id", "practice_id", "payer_id", "outcome", "denied_cents", "paid_on"),
        columns=_AT,
        ordinal=lambda event: -event.sequence,
        only=lambda event: event.data.entry == "payment",  # type: ignore[attr-defined]
    ),
    Projection(
        topic="receivable.changed",
        table="receivable",
        key="claim_id",
        fields=("claim_id", "practice_id", "patient_id", "payer_id", "first_billed_on"),
        columns={**_AT, **{name: _bucket(name) for name in BUCKETS}},
    ),
    Projection(
        topic="denial.raised",
        table="denial",
        key="denial_id",
        fields=(
            "denial_id",
            "claim_id",
            "line_id",
            "era_id",
            "practice_id",
            "payer_id",
            "group_code",
            "reason_code",
            "remark_codes",
            "denied_cents",
            "code_family",
            "first_pass",
            "raised_on",
        ),
        columns=_AT,
    ),
    Projection(
        topic="denial.resolved",
        table="denial_resolution",
        key="resolution_id",
        fields=("denial_id", "claim_id", "practice_id", "resolution", "amount_cents"),
        columns={**_AT, "resolution_id": lambda event: event.id},
    ),
    Projection(
        topic="era.received",
        table="era",
        key="era_id",
        fields=(
            "era_id",
            "practice_id",
            "payer_id",
            "method",
            "amount_cents",
            "provider_adjustment_cents",
            "claims",
            "waiting",
            "balance",
            "paid_on",
        ),
        columns=_AT,
    ),
    Projection(
        topic="deposit.matched",
        table="deposit",
        key="deposit_id",
        fields=("deposit_id", "era_id", "practice_id", "amount_cents", "deposited_on"),
        columns=_AT,
    ),
    Projection(
        topic="patient_balance.changed",
        table="patient_balance",
        key="patient_id",
        fields=("patient_id", "practice_id", "balance_cents", "unapplied_cents"),
        columns=_AT,
    ),
    Projection(
        topic="eligibility.checked",
        table="eligibility_check",
        key="encounter_id",
        fields=(
            "encounter_id",
            "patient_id",
            "coverage_id",
            *_OPEN,
            "bill_payer_id",
            "outcome",
            "reject_reasons",
            "carved_out",
            "estimate_cents",
            "visits_left",
        ),
        columns={**_AT, "authorization_state": lambda event: event.data.authorization},  # type: ignore[attr-defined]
    ),
    Projection(
        topic="authorization.changed",
        table="authorized_units",
        key="authorization_id",
        fields=(
            "authorization_id",
            "patient_id",
            *_OPEN,
            "status",
            "unit",
            "approved_units",
            "reserved_units",
            "consumed_units",
        ),
        columns=_AT,
    ),
    Projection(
        topic="coverage.changed",
        table="coverage",
        key="coverage_id",
        fields=("coverage_id", "patient_id", *_OPEN, "rank", "status"),
        columns=_AT,
    ),
    Projection(
        topic="enrollment.changed",
        table="enrollment",
        key="enrollment_id",
        fields=("enrollment_id", "provider_id", *_OPEN, "status", "billable"),
        columns=_AT,
    ),
    Projection(
        topic="practice.changed", table="practice", key="practice_id", fields=("practice_id", "status"), columns=_AT
    ),
    Projection(
        topic="location.changed",
        table="location",
        key="location_id",
        fields=("location_id", "practice_id", "status", "place_of_service"),
        columns=_AT,
    ),
    Projection(
        topic="provider.changed",
        table="provider",
        key="provider_id",
        fields=("provider_id", "practice_ids", "status", "level"),
        columns=_AT,
    ),
    Projection(
        topic="credential.expiring",
        table="credential_notice",
        key="notice_id",
        fields=("provider_id", "credential_id", "credential", "expires_on", "days_left"),
        columns={**_AT, "notice_id": lambda event: event.id},
    ),
    Projection(
        topic="task.changed",
        table="work",
        key="task_id",
        fields=(
            "task_id",
            "practice_id",
            "reason",
            "subject_type",
            "subject_id",
            "owner",
            "status",
            "due_on",
            "amount_cents",
        ),
        columns=_AT,
        source_in_key=True,
    ),
)

TABLES: dict[str, Projection] = {projection.table: projection for projection in PROJECTIONS}
BY_TOPIC: dict[str, tuple[Projection, ...]] = {
    topic: tuple(one for one in PROJECTIONS if one.topic == topic)
    for topic in dict.fromkeys(one.topic for one in PROJECTIONS)
}
assert set(BY_TOPIC) == set(CATALOG), "every event has its table"
