"""What payers say of coverages after the first: nobody finds out from a denial that the second plan has ended."""

from collections.abc import Mapping
from typing import Any, Final

from libs.common import tasks
from libs.common.db import Transaction
from services.eligibility import patients, store
from services.eligibility import tables as t
from services.eligibility.refusals import refusal

REFUSED: Final = "later_coverage_refused"
INACTIVE: Final = "later_coverage_inactive"


async def is_later(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Whether the check was made for a session, about a coverage that is not its first."""
    if row["encounter_id"] is None:
        return False
    coverage = await store.find(tx, t.coverage, row["coverage_id"])
    return coverage is not None and coverage["rank"] > 1


async def refused(tx: Transaction, row: Mapping[str, Any], *, owner: str) -> None:
    """The payer would not say: whoever can mend it has one task for the coverage, however often it is asked."""
    words = refusal(row["reject_reasons"][0]).words
    await _task(tx, row, REFUSED, owner, f"{row['payer_id']} refused {row['id']}. {words}")


async def answered(tx: Transaction, row: Mapping[str, Any]) -> None:
    """A plan that holds has its route told; for one that has ended, the front desk asks the patient."""
    await tasks.close(tx, subject_id=row["coverage_id"], reason=REFUSED)
    if row["outcome"] != "active":
        words = f"{row['payer_id']} says in {row['id']} that the plan does not hold; ask the patient, end the coverage"
        await _task(tx, row, INACTIVE, "front_desk", words)
        return
    await tasks.close(tx, subject_id=row["coverage_id"], reason=INACTIVE)
    if row["routed_from"] is not None:
        await patients.tell_again(tx, row["coverage_id"])


async def _task(tx: Transaction, row: Mapping[str, Any], reason: str, owner: str, words: str) -> None:
    await tasks.open(
        tx,
        reason=reason,
        subject_type="coverage",
        subject_id=row["coverage_id"],
        practice_id=row["practice_id"],
        owner=owner,
        due_on=tx.today,
        detail=words,
    )
