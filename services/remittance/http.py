"""Routes: remittances come in, what waits is decided, the ledger is read, money of patients and banks is told."""

from datetime import date
from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.common import clearinghouse
from libs.common.db import Row
from libs.common.http import (
    BULK_BYTES,
    X12,
    Cursor,
    FieldError,
    Invalid,
    Limit,
    NotFound,
    Page,
    RawBody,
    Router,
    Tx,
    paginate,
)
from services.remittance import classify, decisions, deposits, figures, patients, pull, receive, views
from services.remittance.domain.ledger import Buckets
from services.remittance.store import bank, cases, ledger, money, queue

router = Router(prefix="/v1", tags=["remittance"])
Status = Annotated[str | None, Query(max_length=32)]


@router.post("/remittances", status_code=201, scope="remittance:write", accepts=X12, body_limit_bytes=BULK_BYTES)
async def take_remittance(body: RawBody, tx: Tx, response: Response) -> views.TakenView:
    """Take an 835 (X12, any number of remittances); the same bytes again answer 200 and change nothing."""
    try:
        taken = await receive.take_in(tx, body, source="api")
    except receive.Unreadable:
        raise Invalid([FieldError("", "unreadable_835", "No remittance (835) could be read.")]) from None
    if taken.repeated:
        response.status_code = 200
    elif taken.era_ids:
        response.headers["Location"] = f"/v1/remittances/{taken.era_ids[0]}"
    return views.TakenView(file_id=taken.file_id, remittance_ids=taken.era_ids, repeated=taken.repeated)


@router.get("/remittances", scope="remittance:read")
async def list_remittances(
    tx: Tx, status: Status = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[views.RemittanceSummary]:
    """Remittances, oldest first; `status=needs_decision` and `status=waiting` are the queues."""
    return await paginate(tx, queue.remittances(tx, status), cursor, limit, view=views.summary)


@router.get("/remittances/{era_id}", scope="remittance:read", phi=True, subject="remittance")
async def read_remittance(era_id: str, tx: Tx) -> views.RemittanceView:
    """A remittance, its three balances, and what became of each of its claims."""
    row = await queue.remittance(tx, era_id)
    if row is None:
        raise NotFound
    claims = [views.answered(claim) for claim in await queue.claims_of(tx, era_id)]
    adjustments = [
        views.ProviderAdjustmentView(
            code=one["code"],
            amount_cents=one["amount_cents"],
            ref=one["reference"],
            account=one["account"].removeprefix(figures.PROVIDER_ADJUSTMENTS),
            matched_claim=one["claim_id"],
        )
        for one in await queue.adjustments_of(tx, era_id)
    ]
    return views.remittance(row, claims, adjustments)


@router.get("/remittances/{era_id}/x12", scope="remittance:read", phi=True, subject="remittance")
async def read_remittance_file(era_id: str, tx: Tx) -> Response:
    """The file that brought a remittance, byte for byte."""
    row = await queue.remittance(tx, era_id)
    if row is None:
        raise NotFound
    assert tx.keyring is not None, "raw files are kept sealed"
    raw = tx.keyring.open(tx.tenant, await queue.raw_file(tx, row["file_id"]), receive.CONTEXT)
    return Response(raw, media_type=X12[0])


@router.post("/remittances/{era_id}/decisions", status_code=200, scope="remittance:write", subject="remittance")
async def decide_remittance(era_id: str, body: views.DecisionBody, tx: Tx) -> views.RemittanceView:
    """Post a remittance that does not balance, its difference named in suspense, or refuse it."""
    await decisions.decide_remittance(tx, era_id, decision=body.decision, reason=body.reason)
    return await read_remittance(era_id, tx)


@router.get("/unposted", scope="remittance:read")
async def list_unposted(
    tx: Tx, reason: Status = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[views.UnpostedView]:
    """Answers of payers that wait, with what they wait for."""
    return await paginate(tx, queue.unposted(tx, reason), cursor, limit, view=_unposted)


def _unposted(row: Row) -> views.UnpostedView:
    given = {name: row[name] for name in views.UnpostedView.model_fields if name != "clp01"}
    return views.UnpostedView(clp01=row["pcn"], **given)


class Posted(BaseModel):
    id: str
    result: str


@router.post("/unposted/{answer_id}/match", status_code=200, scope="remittance:write", subject="era_claim")
async def match_unposted(answer_id: str, body: views.NamedClaim, tx: Tx) -> Posted:
    """Say which claim a waiting answer is about; it is posted."""
    return Posted(id=answer_id, result=await decisions.name_claim(tx, answer_id, body.claim_id))


@router.post("/adjustment-readings", status_code=201, scope="remittance:write", subject="adjustment_reading")
async def read_adjustment_code(body: views.NewReading, tx: Tx) -> views.ReadingView:
    """Say how an adjustment code is read that no table knows; what waited for it is accounted for next."""
    reading_id = await classify.read_code(tx, **body.model_dump())
    return views.ReadingView(id=reading_id, **body.model_dump())


@router.get("/adjustment-readings", scope="remittance:read")
async def list_adjustment_readings(tx: Tx, cursor: Cursor = None, limit: Limit = 50) -> Page[views.ReadingView]:
    """How this tenant reads adjustment codes that no table knows."""
    return await paginate(tx, cases.all_readings(tx), cursor, limit, view=views.reading)


@router.get("/ledger/claims/{claim_id}", scope="remittance:read", subject="claim")
async def read_claim_ledger(claim_id: str, tx: Tx) -> views.ClaimLedger:
    """A claim's charge, accounted for line by line."""
    lines = await ledger.lines_of_claim(tx, claim_id)
    if not lines:
        raise NotFound
    total = sum((line.buckets for line in lines), Buckets())
    return views.ClaimLedger(
        claim_id=claim_id,
        lines=[
            views.LedgerLine(
                line_id=line.id,
                position=line.position,
                code_family=line.code_family,
                buckets=views.buckets(line.buckets.cents()),
            )
            for line in lines
        ],
        total=views.buckets(total.cents()),
    )


@router.get("/ledger/totals", scope="remittance:read")
async def read_totals(tx: Tx) -> views.Totals:
    """Every dollar of charges and of payments, and by how much each identity is off."""
    return views.Totals(**await figures.totals(tx), provider_adjustments=await figures.provider_adjustments(tx))


class Journals(BaseModel):
    data: list[views.JournalView]


@router.get("/ledger/journals", scope="remittance:read")
async def list_journals(tx: Tx, claim_id: Annotated[str, Query(max_length=64)]) -> Journals:
    """All that was ever posted on a claim, oldest first."""
    found = await ledger.journals_of_claim(tx, claim_id)
    return Journals(data=[views.JournalView.model_validate(journal, from_attributes=True) for journal in found])


@router.get("/patients/{patient_id}/balance", scope="remittance:read", phi=True)
async def read_balance(patient_id: str, tx: Tx) -> views.PatientBalance:
    """What a patient owes, and what of the patient's money is not used."""
    row = await money.account(tx, patient_id)
    if row is None:
        raise NotFound
    return views.PatientBalance(**{name: row[name] for name in views.PatientBalance.model_fields})


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
    balance: views.PatientBalance


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
    return PaymentTaken(id=money_id, balance=await read_balance(body.patient_id, tx))


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
    return PaymentTaken(id=money_id, balance=await read_balance(body.patient_id, tx))


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


@router.post("/deposits", status_code=201, scope="remittance:write")
async def record_deposit(body: NewDeposit, tx: Tx, response: Response) -> DepositView:
    """A deposit is tied to the remittance of its trace and amount, up to three business days apart, or waits for it."""
    deposit_id, known = await deposits.record(tx, **body.model_dump())
    if known:
        response.status_code = 200
    return await read_deposit(deposit_id, tx)


@router.get("/deposits", scope="remittance:read")
async def list_deposits(tx: Tx, status: Status = None, cursor: Cursor = None, limit: Limit = 50) -> Page[DepositView]:
    """Deposits, oldest first; `status=unmatched` is the queue."""
    return await paginate(tx, bank.all_deposits(tx, status), cursor, limit, view=_deposit)


@router.get("/deposits/{deposit_id}", scope="remittance:read")
async def read_deposit(deposit_id: str, tx: Tx) -> DepositView:
    """A deposit, and the remittance that announced it."""
    row = await bank.deposit(tx, deposit_id)
    if row is None:
        raise NotFound
    return _deposit(row)


def _deposit(row: Row) -> DepositView:
    return DepositView(**{name: row[name] for name in DepositView.model_fields})


ROUTERS = (router, clearinghouse.routes("remittance", configured=pull.start))
