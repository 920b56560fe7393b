"""Routes: what a patient owes is let go, or asked for again."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from libs.common.db import Row
from libs.common.http import Cursor, Limit, Page, Router, Tx, paginate
from services.remittance import write_off
from services.remittance.store import money

router = Router(prefix="/v1/patient-write-offs", tags=["ledger"])


class NewWriteOff(BaseModel):
    """What a patient is let off, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"claim_id": "clm_0192f0a1", "kind": "small_balance", "amount_cents": 425, "why": "below the limit"}
            ]
        },
    )

    claim_id: str = Field(pattern=r"^clm_[0-9a-z]{1,48}$")
    kind: Literal["small_balance", "bad_debt", "charity", "courtesy"]
    amount_cents: int | None = Field(None, gt=0, le=100_000_000, description="Left out: all that is owed on the claim.")
    why: str = Field(min_length=3, max_length=200, pattern=r"^[^\x00-\x1f]*$")


class Reversal(BaseModel):
    """Why it is asked for again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"why": "the patient offered to pay"}]})

    why: str = Field(min_length=3, max_length=200, pattern=r"^[^\x00-\x1f]*$")


class WriteOffView(BaseModel):
    """A decision about what a patient owes; a reversal is negative and names what it reverses."""

    id: str
    practice_id: str
    patient_id: str
    claim_id: str
    kind: str
    amount_cents: int
    reverses: str | None
    why: str
    decided_by: str
    created_at: datetime


def _view(row: Row) -> WriteOffView:
    return WriteOffView(**{name: row[name] for name in WriteOffView.model_fields})


@router.post("", status_code=201, scope="remittance:write", subject="patient_write_off")
async def write_off_patient(body: NewWriteOff, tx: Tx) -> WriteOffView:
    """Let go of what a patient owes on a claim; refused (409) where that is more than is owed."""
    given = body.model_dump()
    return _view(await write_off.let_go(tx, given.pop("claim_id"), **given))


@router.post("/{write_off_id}/reversals", status_code=201, scope="remittance:write", subject="patient_write_off")
async def reverse_write_off(write_off_id: str, body: Reversal, tx: Tx) -> WriteOffView:
    """What was let go is owed again."""
    return _view(await write_off.ask_again(tx, write_off_id, why=body.why))


@router.get("", scope="remittance:read", phi=True, subject="write_off")
async def list_write_offs(
    tx: Tx, patient_id: Annotated[str | None, Query(max_length=64)] = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[WriteOffView]:
    """What patients were let off, oldest first."""
    return await paginate(tx, money.write_offs(tx, patient_id), cursor, limit, view=_view)
