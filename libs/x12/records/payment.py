"""835: what a payer paid, and why not more."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from libs.x12.records.common import (
    Adjustment,
    Amount,
    Contact,
    Envelope,
    Party,
    Quantity,
    Reference,
    Segment,
    Source,
    When,
)
from libs.x12.records.drafted import drafted
from libs.x12.records.later import Later, fill_in


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """One end of a transfer (BPR06 to 09, BPR12 to 15)."""

    routing_qualifier: str = "01"
    routing: str = ""
    account_qualifier: str = "DA"
    account: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The money that moves, or the notice that none does (BPR, TRN)."""

    amount_cents: int
    """BPR02 = sum of the claims' payments less the provider adjustments."""
    method: str = "ACH"
    """BPR04: ACH, CHK check, FWT wire, BOP, NON no payment."""
    paid_on: date
    """BPR16, the day the money is available, or of the check."""
    trace_number: str
    """TRN02: check or EFT number, what the bank shows."""
    payer_identifier: str
    """TRN03: 1 and the payer's tax id."""
    handling: str = "I"
    """BPR01: I remittance with payment, H notification only, …"""
    credit_debit: str = "C"
    format: str = ""
    """BPR05: CCP for ACH."""
    sender_bank: Bank | None = None
    receiver_bank: Bank | None = None
    originator: str = ""
    """BPR10."""
    originator_supplement: str = ""
    trace_supplement: str = ""


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePayment:
    """One adjudicated line (2110)."""

    procedure: str = ""
    charge_cents: int = 0
    paid_cents: int = 0
    units: Decimal = Decimal(1)
    """SVC05, units paid (1 when absent)."""
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    description: str = ""
    revenue_code: str = ""
    submitted_procedure: str = ""
    """SVC06, what we billed, when the payer changed it."""
    submitted_qualifier: str = "HC"
    submitted_modifiers: tuple[str, ...] = ()
    submitted_units: Decimal | None = None
    service_date: date | None = None
    """DTM*472, or 150 with `service_end` (151)."""
    service_end: date | None = None
    adjustments: tuple[Adjustment, ...] = ()
    line_control_number: str = ""
    """REF*6R, ours from the 837."""
    references: tuple[Reference, ...] = ()
    amounts: tuple[Amount, ...] = ()
    """AMT, such as B6 allowed."""
    quantities: tuple[Quantity, ...] = ()
    remark_codes: tuple[str, ...] = ()
    """LQ*HE (RARC)."""
    extra: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSummary:
    """The provider's totals above a run of claims (LX, TS3)."""

    number: str = "1"
    segments: tuple[Segment, ...] = ()


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPayment(Later):
    """What became of one claim (2100)."""

    if not TYPE_CHECKING:
        __getattr__ = fill_in

    pcn: str
    """CLP01, our patient control number."""
    status: str
    """CLP02: 1, 2, 3 processed as primary, secondary, tertiary; 4 denied; 19 to 21 and forwarded; 22 reversal;
    23 not ours, forwarded; 25 predetermination. 1 does not mean paid."""
    charge_cents: int
    paid_cents: int
    patient_responsibility_cents: int = 0
    filing_code: str = "12"
    payer_control_number: str = ""
    """CLP07, the payer's number (ICN)."""
    pos: str = ""
    frequency: str = ""
    patient: Party | None = None
    insured: Party | None = None
    corrected: Party | None = None
    """NM1*74, the patient or insured as the payer knows them."""
    rendering: Party | None = None
    crossover: Party | None = None
    """NM1*TT, the payer that the claim was forwarded to."""
    corrected_payer: Party | None = None
    other_subscriber: Party | None = None
    adjustments: tuple[Adjustment, ...] = ()
    mia: tuple[str, ...] = ()
    """MIA's elements, 01 first."""
    moa: tuple[str, ...] = ()
    """MOA's elements, 01 first."""
    original_reference: str = ""
    """REF*F8."""
    references: tuple[Reference, ...] = ()
    dates: tuple[When, ...] = ()
    contacts: tuple[Contact, ...] = ()
    amounts: tuple[Amount, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    lines: tuple[ServicePayment, ...] = ()
    summary: ProviderSummary | None = None
    extra: tuple[Segment, ...] = ()
    defects: tuple[str, ...] = ()
    source: Source | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def remark_codes(self) -> tuple[str, ...]:
        """Remark codes of the whole claim (MOA03 to 07; MIA05 and MIA20 to 23)."""
        codes = self.moa[2:7] + self.mia[4:5] + self.mia[19:23]
        return tuple(code for code in codes if code)


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAdjustment:
    """Money that belongs to no claim of this file (one pair of a PLB); positive takes from the provider."""

    provider_id: str
    fiscal_year_end: date | None
    code: str
    """WO overpayment recovery, FB forwarding balance, L6 interest, 72 authorised return, CS adjustment, …"""
    reference: str = ""
    amount_cents: int


@drafted
@dataclass(frozen=True, slots=True, kw_only=True)
class Remittance:
    """An 835 transaction: one payment and what it is for."""

    envelope: Envelope
    payment: Payment
    payer: Party
    payee: Party
    claims: tuple[ClaimPayment, ...] = ()
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    produced: date | None = None
    """DTM*405."""
    receiver_reference: str = ""
    """REF*EV."""
    version_reference: str = ""
    """REF*F2."""
    extra: tuple[Segment, ...] = ()
