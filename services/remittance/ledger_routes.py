"""Routes: the ledger is read, money of patients and banks is told."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.common import audit
from libs.common.db import Row, Transaction
from libs.common.http import Cursor, Limit, NotFound, Page, Router, Tx, again, paginate
from services.remittance import deposits, figures, patients
from services.remittance.domain.ledger import BUCKET_NAMES, Buckets
from services.remittance.store import bank, claims, ledger, money, queue

router = Router(prefix="/v1", tags=["ledger"])


class BucketsView(BaseModel):
    """billed + credits = all the others, at any moment."""

    billed_cents: int
    credits_cents: int = Field(description="Overpaid, as a positive figure; never netted across lines.")
    payer_paid_cents: int
    patient_paid_cents: int
    contractual_cents: int
    written_off_cents: int
    withheld_cents: int
    patient_cents: int
    denied_open_cents: int
    in_flight_cents: int


class LedgerLine(BaseModel):
    line_id: str
    position: int
    code_family: str
    buckets: BucketsView


class ClaimLedger(BaseModel):
    """A claim's charge, accounted for line by line."""

    claim_id: str
    lines: list[LedgerLine]
    total: BucketsView


class Totals(BucketsView):
    """Every dollar of charges, and every dollar of payments."""

    era_received_cents: int = Field(description="Sum of BPR02.")
    era_clearing_cents: int = Field(description="Announced by payers, not yet in the bank.")
    suspense_cents: int = Field(description="Paid by payers, not yet tied to a claim.")
    provider_adjustment_cents: int = Field(description="Net of PLB; positive was taken.")
    provider_adjustments: dict[str, int] = Field(description="By account.")
    cash_cents: int
    payer_cash_cents: int
    patient_cash_cents: int
    unmatched_deposits_cents: int
    patient_unapplied_cents: int
    identity_difference_cents: int = Field(description="billed + credits less everything else; 0.")
    era_identity_difference_cents: int = Field(
        description="BPR02 less (payer_paid + suspense - provider adjustments); 0."
    )
    ledger_imbalance_cents: int = Field(description="Every way in which the ledger could be wrong, added up; 0.")


class EntryView(BaseModel):
    account: str
    amount_cents: int = Field(description="Debits are positive.")
    line_id: str | None
    reference: str | None


class JournalView(BaseModel):
    """One journal; its entries sum to zero."""

    id: str
    kind: str
    posted_on: date
    era_id: str | None
    posting_id: str | None
    reverses: str | None
    entries: list[EntryView]


class PatientBalance(BaseModel):
    """What a patient owes and has paid."""

    patient_id: str
    practice_id: str
    balance_cents: int
    unapplied_cents: int = Field(description="Taken and not yet used: prepayments, or more than was owed.")
    received_cents: int
    version: int


def buckets(row: Row | dict[str, int]) -> BucketsView:
    return BucketsView(**{f"{name}_cents": row[f"{name}_cents"] for name in BUCKET_NAMES})


@router.get("/ledger/claims/{claim_id}", scope="remittance:read", phi=True, subject="claim")
async def read_claim_ledger(claim_id: str, tx: Tx) -> ClaimLedger:
    """A claim's charge, accounted for line by line."""
    lines = await ledger.lines_of_claim(tx, claim_id)
    if not lines:
        raise NotFound
    audit.about(tx, [(claim_id, await claims.practice_of(tx, claim_id))])
    total = sum((line.buckets for line in lines), Buckets())
    return ClaimLedger(
        claim_id=claim_id,
        lines=[
            LedgerLine(
                line_id=line.id,
                position=line.position,
                code_family=line.code_family,
                buckets=buckets(line.buckets.cents()),
            )
            for line in lines
        ],
        total=buckets(total.cents()),
    )


@router.get("/ledger/totals", scope="remittance:read")
async def read_totals(tx: Tx) -> Totals:
    """Every dollar of charges and of payments, and by how much each identity is off."""
    return Totals(**await figures.totals(tx), provider_adjustments=await figures.provider_adjustments(tx))


class Journals(BaseModel):
    data: list[JournalView]


@router.get("/ledger/journals", scope="remittance:read", phi=True, subject="claim")
async def list_journals(tx: Tx, claim_id: Annotated[str, Query(max_length=64)]) -> Journals:
    """All that was ever posted on a claim, oldest first."""
    audit.about(tx, [(claim_id, await claims.practice_of(tx, claim_id))])
    return _journals(await ledger.journals_of_claim(tx, claim_id))


@router.get("/remittances/{era_id}/journals", scope="remittance:read", phi=True, subject="remittance")
async def list_journals_of_remittance(era_id: str, tx: Tx) -> Journals:
    """What was posted on a remittance itself, oldest first: its money, its provider adjustments, its deposit.

    What it pays on a claim is in the claim's journals.
    """
    row = await queue.remittance(tx, era_id)
    if row is None:
        raise NotFound
    audit.about(tx, [(era_id, row["practice_id"])])
    return _journals(await ledger.journals_of_remittance(tx, era_id))


def _journals(found: Sequence[Mapping[str, Any]]) -> Journals:
    return Journals(data=[JournalView.model_validate(journal, from_attributes=True) for journal in found])


@router.get("/patients/{patient_id}/balance", scope="remittance:read", phi=True)
async def read_balance(patient_id: str, tx: Tx) -> PatientBalance:
    """What a patient owes, and what of the patient's money is not used."""
    row = await money.account(tx, patient_id)
    if row is None:
        raise NotFound
    return PatientBalance(**{name: row[name] for name in PatientBalance.model_fields})


class PatientPayment(BaseModel):
    """Money that a patient paid, or gets back (negative)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "patient_id": "pat_0192f0a1",
                    "practice_id": "prc_0192f0a1",
                    "amount_cents": 2500,
                    "received_on": "2026-10-05",
                    "method": "card",
                    "reference": "pi_1",
                }
            ]
        },
    )

    patient_id: str = Field(pattern=r"^pat_[0-9a-z]{1,48}$")
    practice_id: str = Field(pattern=r"^[a-z]{2,4}_[0-9a-z]{1,48}$")
    amount_cents: int = Field(gt=0, le=100_000_000)
    received_on: date
    method: str | None = Field(None, max_length=32)
    reference: str | None = Field(None, max_length=64)


class PaymentTaken(BaseModel):
    id: str
    balance: PatientBalance


@router.post("/patient-payments", status_code=201, scope="remittance:write", subject="patient_payment")
async def take_patient_payment(body: PatientPayment, tx: Tx) -> PaymentTaken:
    """A patient's payment is applied to what is owed longest; what is left stays with the patient."""
    account = await ledger.lock_account(tx, body.patient_id, body.practice_id)
    money_id = await patients.receive(
        tx,
        account,
        kind="payment",
        amount_cents=body.amount_cents,
        received_on=body.received_on,
        method=body.method,
        reference=body.reference,
    )
    return await _taken(tx, money_id, body.patient_id)


async def _taken(tx: Transaction, money_id: str, patient_id: str) -> PaymentTaken:
    balance = await read_balance(patient_id, tx)
    audit.about(tx, [(money_id, balance.practice_id)])
    return PaymentTaken(id=money_id, balance=balance)


class PatientRefund(BaseModel):
    """Money that goes back to a patient."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "patient_id": "pat_0192f0a1",
                    "amount_cents": 500,
                    "refunded_on": "2026-10-26",
                    "reason": "overpaid",
                }
            ]
        },
    )

    patient_id: str = Field(pattern=r"^pat_[0-9a-z]{1,48}$")
    amount_cents: int = Field(gt=0, le=100_000_000)
    refunded_on: date
    reason: str = Field(min_length=3, max_length=64)


@router.post("/patient-refunds", status_code=201, scope="remittance:write", subject="patient_payment")
async def refund_patient(body: PatientRefund, tx: Tx) -> PaymentTaken:
    """Give back money of a patient that is not owed; refused (409) where less than that is free."""
    given = body.model_dump()
    money_id = await patients.refund(tx, given.pop("patient_id"), **given)
    return await _taken(tx, money_id, body.patient_id)


class NewDeposit(BaseModel):
    """Money that arrived in the bank."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"trace": "EFT998", "amount_cents": 105550, "deposited_on": "2026-10-20", "reference": "stmt-10-20"}
            ]
        },
    )

    trace: str = Field(min_length=1, max_length=50, description="Check or EFT number, as in the 835's TRN02.")
    amount_cents: int = Field(gt=0)
    deposited_on: date
    reference: str | None = Field(None, max_length=64)


class DepositView(BaseModel):
    id: str
    trace: str
    amount_cents: int
    deposited_on: date
    reference: str | None
    status: str = Field(description="matched or unmatched")
    era_id: str | None


@router.post("/deposits", status_code=201, scope="remittance:write", responses=again(DepositView))
async def record_deposit(body: NewDeposit, tx: Tx, response: Response) -> DepositView:
    """A deposit is tied to the remittance of its trace and amount, up to three business days apart, or waits for it."""
    tx.must_reach(None)  # nobody knows whose it is before it is tied to a remittance
    deposit_id, known = await deposits.record(tx, **body.model_dump())
    if known:
        response.status_code = 200
    return await read_deposit(deposit_id, tx)


@router.get("/deposits", scope="remittance:read")
async def list_deposits(
    tx: Tx, status: Annotated[str | None, Query(max_length=32)] = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[DepositView]:
    """Deposits, oldest first; `status=unmatched` is the queue."""
    return await paginate(tx, bank.all_deposits(tx, status), cursor, limit, view=_deposit)


@router.get("/deposits/{deposit_id}", scope="remittance:read")
async def read_deposit(deposit_id: str, tx: Tx) -> DepositView:
    """A deposit, and the remittance that announced it."""
    row = await bank.deposit(tx, deposit_id)
    if row is None:
        raise NotFound
    audit.about(tx, [(deposit_id, row["practice_id"])])
    return _deposit(row)


def _deposit(row: Row) -> DepositView:
    return DepositView(**{name: row[name] for name in DepositView.model_fields})
