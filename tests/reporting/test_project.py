"""Any interleaving of topics gives the same analytics tables, live or rebuilt from the archive."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from libs.common.db import Database
from libs.common.events import CATALOG, ClaimSubmitted, ClaimUpdated, Event, PaymentPosted, TaskChanged, read, write
from libs.common.events.claims import SubmittedLine
from libs.common.events.remittance import Buckets, PostedLine
from libs.common.ids import uuid7
from services.reporting.facts import PROJECTIONS
from services.reporting.project import on_event
from services.reporting.rebuild import rebuild
from tests.conftest import TestDatabase

TENANT = "tnt_test"


def record(event: Event, sequence: int, source: str = "claims", tenant: str = TENANT) -> bytes:
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


def a_claim(number: int, status: str) -> ClaimUpdated:
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
        clean=True,
        attempts=1,
    )


def a_submission(number: int) -> ClaimSubmitted:
    return ClaimSubmitted(
        claim_id=f"clm_{number}",
        submission_id=f"sub_{number}",
        encounter_id=f"enc_{number}",
        practice_id="prc_1",
        patient_id="pat_1",
        provider_id="prv_1",
        payer_id="pay_medicare",
        attempt=1,
        frequency="1",
        patient_control_number=f"P{number}",
        charge_cents=17_500,
        submitted_on=date(2026, 10, 5),
        lines=[
            SubmittedLine(
                line_id=f"sln_{number}", line_control="1", code_family="psychotherapy", charge_cents=17_500, units=1
            )
        ],
    )


def a_payment(number: int, paid_cents: int, *, entry: str = "payment") -> PaymentPosted:
    denied = 17_500 - paid_cents
    moved = {"paid_cents": paid_cents, "contractual_cents": 0, "patient_cents": 0, "denied_cents": denied}
    return PaymentPosted(
        claim_id=f"clm_{number}",
        posting_id=f"pst_{number}{entry}",
        era_id="era_1",
        practice_id="prc_1",
        payer_id="pay_medicare",
        submission_id=f"sub_{number}",
        entry=entry,
        outcome="paid" if denied == 0 else "denied",
        claim_status="1",
        paid_on=date(2026, 10, 20),
        lines=[PostedLine(line_id=f"sln_{number}", withheld_cents=0, **moved)],
        buckets=Buckets(
            billed_cents=17_500,
            credits_cents=0,
            payer_paid_cents=paid_cents,
            patient_paid_cents=0,
            contractual_cents=0,
            written_off_cents=0,
            withheld_cents=0,
            patient_cents=0,
            denied_open_cents=denied,
            in_flight_cents=0,
        ),
        **moved,
    )


def a_month() -> list[bytes]:
    """Claims that move through their lifecycle, with submissions, payments and tasks of two services."""
    records = []
    for number in range(12):
        for sequence, status in enumerate(("draft", "ready", "submitted", "accepted", "paid"), start=1):
            records.append(record(a_claim(number, status), sequence))
        records.append(record(a_submission(number), 3))
        records.append(record(a_payment(number, 17_500 if number % 3 else 0), 1, "remittance"))
        for source in ("claims", "remittance"):
            for sequence, status in enumerate(("open", "done"), start=1):
                task = TaskChanged(
                    task_id=f"tsk_{number}",
                    practice_id="prc_1",
                    reason="denied",
                    subject_type="claim",
                    subject_id=f"clm_{number}",
                    owner="billing",
                    status=status,
                    due_on=None,
                )
                records.append(record(task, sequence, source))
    return records


async def project(database: Database, records: Sequence[bytes], tenant: str = TENANT) -> None:
    async with database.transaction(tenant) as tx:
        for raw in records:
            topic = next(t for t in CATALOG if f'"type":"{t}.v1"'.encode() in raw)
            await on_event(tx, read(raw, CATALOG[topic]))


async def tables(database: TestDatabase) -> dict[str, list[dict[str, Any]]]:
    connection = await asyncpg.connect(database.admin_url)
    try:
        return {
            p.table: [
                dict(r)
                for r in await connection.fetch(f"select * from reporting.{p.table} order by {', '.join(p.keys)}")
            ]
            for p in PROJECTIONS
        }
    finally:
        await connection.close()


async def emptied(database: TestDatabase) -> None:
    connection = await asyncpg.connect(database.admin_url)
    try:
        await connection.execute(f"truncate reporting.record, {', '.join(f'reporting.{p.table}' for p in PROJECTIONS)}")
    finally:
        await connection.close()


@pytest.mark.parametrize("seed", range(5))
async def test_any_interleaving_of_topics_gives_the_same_tables(module_database: TestDatabase, seed: int) -> None:
    records = a_month()
    database = module_database.open("reporting")
    await emptied(module_database)
    await project(database, records)
    in_order = await tables(module_database)
    assert in_order["claim"]
    assert {row["status"] for row in in_order["claim"]} == {"paid"}
    assert len(in_order["work"]) == 24

    shuffled = list(records)
    random.Random(seed).shuffle(shuffled)
    await emptied(module_database)
    await project(database, shuffled)
    assert await tables(module_database) == in_order


async def test_rebuilt_tables_are_the_live_ones_row_for_row_and_take_what_comes_next(
    module_database: TestDatabase,
) -> None:
    await emptied(module_database)
    database = module_database.open("reporting")
    records = a_month()
    await project(database, records[:-3])
    live = await tables(module_database)

    counted = await rebuild(module_database.url("reporting", "owner"))
    assert await tables(module_database) == live
    assert counted["claim"] == 12

    await project(database, records[-3:])
    await rebuild(module_database.url("reporting", "owner"))
    async with database.transaction("tnt_other") as tx:
        assert await tx.scalar(sa.text("select count(*) from reporting.claim")) == 0


async def test_the_sealed_part_of_an_event_is_never_opened_here() -> None:
    for projection in PROJECTIONS:
        assert "sealed" not in projection.fields
