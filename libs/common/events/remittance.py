"""What remittance tells: remittances, postings, denials, patients' balances, deposits."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.common.events.envelope import Cents, Code, Event, Id, Sealed, SignedCents


class EraReceived(Event):
    """A remittance (one ST of an 835) has been read. `balance`: balanced, transaction_unbalanced.

    `method` is BPR04 (CHK, ACH, NON…); `amount_cents` is BPR02, negative where the payer debits us (BPR03). Claims
    that balance but do not match, or do not balance themselves, are counted in `waiting`.
    """

    topic: ClassVar[str] = "era.received"
    producer: ClassVar[str] = "remittance"
    kind: ClassVar[Literal["state", "fact"]] = "fact"
    key: ClassVar[str] = "era_id"

    era_id: Id
    practice_id: Id | None
    payer_id: Id | None
    method: Code
    amount_cents: SignedCents
    provider_adjustment_cents: SignedCents
    claims: int = Field(ge=0)
    waiting: int = Field(ge=0)
    balance: Code
    paid_on: date


class PostedLine(BaseModel):
    """What a remittance did to one line; signed, a reversal is negative."""

    model_config = ConfigDict(frozen=True)

    line_id: Id
    paid_cents: int
    contractual_cents: int
    patient_cents: int
    denied_cents: int
    withheld_cents: int


class Buckets(BaseModel):
    """The claim's charge, accounted for (DESIGN §7): billed + credits = the sum of the rest."""

    model_config = ConfigDict(frozen=True)

    billed_cents: int
    credits_cents: int
    payer_paid_cents: int
    patient_paid_cents: int
    contractual_cents: int
    written_off_cents: int
    withheld_cents: int
    patient_cents: int
    denied_open_cents: int
    in_flight_cents: int


class AdjudicatedReason(BaseModel):
    """Why a payer paid less than charged: one triplet of a CAS, as it came."""

    model_config = ConfigDict(frozen=True)

    group: str
    reason: str
    amount_cents: int


class AdjudicatedLine(BaseModel):
    """What a payer said of one of our lines: charge = paid + adjustments."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    procedure: str
    modifiers: list[str]
    charge_cents: int
    paid_cents: int
    adjustments: list[AdjudicatedReason]


class Adjudication(BaseModel):
    """A payer's decision on a claim as the next payer must be told it, each amount at the level where it stood."""

    model_config = ConfigDict(frozen=True)

    posting_id: str
    payer_id: str
    rank: int
    payer_control_number: str
    decided_on: date
    charge_cents: int
    paid_cents: int
    adjustments: list[AdjudicatedReason]
    remark_codes: list[str]
    lines: list[AdjudicatedLine]
    """None where the payer decided on the claim as a whole."""


class Adjudications(Sealed):
    """Every decision on the claim that stands after this entry, as payers made them."""

    decisions: list[Adjudication]


class PaymentPosted(Event):
    """A payer's decision on one claim has been posted to the ledger.

    `entry`: payment, reversal. `outcome` of the claim after it: paid, partially_paid, denied, patient_responsibility
    (nothing paid, all to the patient), reversed. Amounts are what this entry moved, signed; `buckets` are how the
    claim stands after it, `awaits_next_cents` what of in_flight waits for the next payer. `payer_control_number`
    (CLP07) is what a replacement (frequency 7) must name. `forwarded`: the payer has passed the claim on itself.
    """

    topic: ClassVar[str] = "payment.posted"
    producer: ClassVar[str] = "remittance"
    kind: ClassVar[Literal["state", "fact"]] = "fact"
    key: ClassVar[str] = "claim_id"

    claim_id: Id
    posting_id: Id
    era_id: Id
    practice_id: Id
    payer_id: Id
    submission_id: Id | None
    rank: int = 1
    entry: Code
    outcome: Code
    claim_status: Code
    payer_control_number: str | None = Field(default=None, max_length=50)
    forwarded: bool = False
    paid_cents: SignedCents
    contractual_cents: SignedCents
    patient_cents: SignedCents
    denied_cents: SignedCents
    paid_on: date
    lines: list[PostedLine]
    buckets: Buckets
    awaits_next_cents: Cents = 0
    sealed: Adjudications | None = None


class ReceivableChanged(Event):
    """How a claim's charge is accounted for now, after whatever moved it: a remittance, a decision, a patient's money.

    `first_billed_on` is the date of its first submission, None before one.
    """

    topic: ClassVar[str] = "receivable.changed"
    producer: ClassVar[str] = "remittance"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "claim_id"

    claim_id: Id
    practice_id: Id
    patient_id: Id
    payer_id: Id
    first_billed_on: date | None
    buckets: Buckets


class DenialRaised(Event):
    """A payer left part or all of one service line unpaid for a reason that is nobody's share.

    One event per denied line and remittance; `group_code` and `reason_code` are its leading CAS, `remark_codes` its
    RARCs. `first_pass`: it was the payer's first decision on the claim.
    """

    topic: ClassVar[str] = "denial.raised"
    producer: ClassVar[str] = "remittance"
    kind: ClassVar[Literal["state", "fact"]] = "fact"
    key: ClassVar[str] = "claim_id"

    claim_id: Id
    denial_id: Id
    line_id: Id
    era_id: Id
    practice_id: Id
    payer_id: Id
    group_code: str = Field(pattern=r"^[A-Z]{2}$")
    reason_code: str = Field(pattern=r"^[A-Z0-9]{1,5}$")
    remark_codes: list[Code] = Field(default=[])
    denied_cents: int = Field(gt=0)
    code_family: Code
    payer_control_number: str | None = Field(default=None, max_length=50)
    first_pass: bool = True
    raised_on: date


class PatientBalanceChanged(Event):
    """What a patient owes a practice, as it now stands; `unapplied_cents` is money taken and not yet used."""

    topic: ClassVar[str] = "patient_balance.changed"
    producer: ClassVar[str] = "remittance"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "patient_id"

    patient_id: Id
    practice_id: Id
    balance_cents: Cents
    unapplied_cents: Cents


class DepositMatched(Event):
    """Money in the bank has been tied to a remittance; clearing became cash."""

    topic: ClassVar[str] = "deposit.matched"
    producer: ClassVar[str] = "remittance"
    kind: ClassVar[Literal["state", "fact"]] = "fact"
    key: ClassVar[str] = "deposit_id"

    deposit_id: Id
    era_id: Id
    practice_id: Id | None
    amount_cents: Cents
    deposited_on: date
