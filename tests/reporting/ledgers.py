"""Events for the tests of reporting, and the tables that they make."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import asyncpg

from libs.common.db import Database
from libs.common.events import (
    CATALOG,
    ClaimSubmitted,
    ClaimUpdated,
    DenialRaised,
    Event,
    PaymentPosted,
    ReceivableChanged,
    TaskChanged,
    read,
    write,
)
from libs.common.events.claims import SubmittedLine
from libs.common.events.remittance import Buckets, PostedLine
from libs.common.ids import uuid7
from services.reporting.facts import PROJECTIONS
from services.reporting.project import on_event
from tests.conftest import TestDatabase

TENANT = "tnt_test"


def record(event: Event, sequence: int, source: str = "claims", tenant: str = TENANT) -> bytes:
    """An event as it stands in the log."""
    attributes = {
        "id": str(uuid7()),
        "type": event.full_type(),
        "source": f"/services/{source}",
        "subject": event.subject(),
        "sequence": str(sequence),
        "time": datetime(2026, 10, 5, 12, tzinfo=UTC).isoformat(),
        "tenantid": tenant,
    }
    return write(attributes, event, None)


def a_claim(number: int, status: str, *, clean: bool = True, attempts: int = 1) -> ClaimUpdated:
    return ClaimUpdated(
        claim_id=f"clm_{number}",
        encounter_id=f"enc_{number}",
        practice_id="prc_1",
        patient_id="pat_1",
        provider_id=None,
        payer_id="pay_medicare",
        status=status,
        owner="payer",
        code_family="psychotherapy",
        charge_cents=17_500,
        clean=clean,
        attempts=attempts,
    )


def a_submission(
    number: int, *, attempt: int = 1, on: date = date(2026, 10, 5), clean: bool | None = True
) -> ClaimSubmitted:
    line = SubmittedLine(
        line_id=f"sln_{number}", line_control="1", code_family="psychotherapy", charge_cents=17_500, units=1
    )
    return ClaimSubmitted(
        claim_id=f"clm_{number}",
        submission_id=f"sub_{number}a{attempt}",
        encounter_id=f"enc_{number}",
        practice_id="prc_1",
        patient_id="pat_1",
        provider_id="prv_1",
        payer_id="pay_medicare",
        attempt=attempt,
        frequency="1",
        patient_control_number=f"P{number}A{attempt}",
        clean=clean,
        charge_cents=17_500,
        submitted_on=on,
        lines=[line],
    )


def buckets(paid_cents: int, denied_cents: int) -> Buckets:
    return Buckets(
        billed_cents=17_500,
        credits_cents=0,
        payer_paid_cents=paid_cents,
        patient_paid_cents=0,
        contractual_cents=0,
        written_off_cents=0,
        withheld_cents=0,
        patient_cents=0,
        denied_open_cents=denied_cents,
        in_flight_cents=17_500 - paid_cents - denied_cents,
    )


def a_payment(number: int, paid_cents: int, *, posting: int = 1) -> PaymentPosted:
    denied = 17_500 - paid_cents
    moved = {"paid_cents": paid_cents, "contractual_cents": 0, "patient_cents": 0, "denied_cents": denied}
    return PaymentPosted(
        claim_id=f"clm_{number}",
        posting_id=f"pst_{number}p{posting}",
        era_id="era_1",
        practice_id="prc_1",
        payer_id="pay_medicare",
        submission_id=f"sub_{number}a{posting}",
        entry="payment",
        outcome="paid" if denied == 0 else "denied",
        claim_status="1",
        paid_on=date(2026, 10, 20),
        lines=[PostedLine(line_id=f"sln_{number}", withheld_cents=0, **moved)],
        buckets=buckets(paid_cents, denied),
        **moved,
    )


def a_receivable(number: int, paid_cents: int, denied_cents: int = 0) -> ReceivableChanged:
    return ReceivableChanged(
        claim_id=f"clm_{number}",
        practice_id="prc_1",
        patient_id="pat_1",
        payer_id="pay_medicare",
        first_billed_on=date(2026, 10, 5),
        buckets=buckets(paid_cents, denied_cents),
    )


def a_denial(number: int) -> DenialRaised:
    return DenialRaised(
        claim_id=f"clm_{number}",
        denial_id=f"dnl_{number}",
        line_id=f"sln_{number}",
        era_id="era_1",
        practice_id="prc_1",
        payer_id="pay_medicare",
        group_code="CO",
        reason_code="197",
        denied_cents=17_500,
        code_family="psychotherapy",
        raised_on=date(2026, 10, 20),
    )


def a_task(number: int, status: str) -> TaskChanged:
    return TaskChanged(
        task_id=f"tsk_{number}",
        practice_id="prc_1",
        reason="denied",
        subject_type="claim",
        subject_id=f"clm_{number}",
        owner="billing",
        status=status,
        due_on=None,
    )


def a_month(claims: int = 12) -> list[bytes]:
    """So many claims through their lifecycle, a third of them denied, with tasks of two services."""
    records = []
    for number in range(claims):
        paid = 17_500 if number % 3 else 0
        for sequence, status in enumerate(("draft", "ready", "submitted", "accepted", "paid"), start=1):
            records.append(record(a_claim(number, status), sequence))
        records.append(record(a_submission(number), 3))
        records.append(record(a_payment(number, paid), 1, "remittance"))
        records.append(record(a_receivable(number, 0), 1, "remittance"))
        records.append(record(a_receivable(number, paid, 17_500 - paid), 2, "remittance"))
        if not paid:
            records.append(record(a_denial(number), 1, "remittance"))
        for source in ("claims", "remittance"):
            records += [record(a_task(number, status), n, source) for n, status in enumerate(("open", "done"), 1)]
    return records


async def project(database: Database, records: Sequence[bytes], tenant: str = TENANT) -> None:
    """The records have been consumed, in this order."""
    async with database.transaction(tenant) as tx:
        for raw in records:
            topic = next(t for t in CATALOG if f'"type":"{t}.v1"'.encode() in raw)
            await on_event(tx, read(raw, CATALOG[topic]))


async def tables(database: TestDatabase) -> dict[str, list[dict[str, Any]]]:
    """Every analytics table, row for row."""
    connection = await asyncpg.connect(database.admin_url)
    try:
        return await rows_of(connection)
    finally:
        await connection.close()


async def rows_of(connection: asyncpg.Connection) -> dict[str, list[dict[str, Any]]]:
    """Every analytics table, row for row, as far as this connection may see it."""
    found = {}
    for projection in PROJECTIONS:
        rows = await connection.fetch(
            f"select * from reporting.{projection.table} order by {', '.join(projection.keys)}"
        )
        found[projection.table] = [dict(row) for row in rows]
    return found


async def emptied(database: TestDatabase) -> None:
    """Nothing has been consumed yet."""
    connection = await asyncpg.connect(database.admin_url)
    try:
        every = ", ".join(f"reporting.{p.table}" for p in PROJECTIONS)
        await connection.execute(f"truncate reporting.record, {every}")
    finally:
        await connection.close()
