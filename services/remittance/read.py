"""An 835 as remittance keeps it: amounts, reasons and references, the patient's name and member id left behind."""

from dataclasses import dataclass
from datetime import date

from libs import x12
from libs.codes import payers, plb
from libs.x12.tokens import Unreadable as NotX12
from services.remittance.balance import transaction_difference
from services.remittance.charge import member_key
from services.remittance.domain.adjustments import Adjustment
from services.remittance.domain.era import EraClaim, EraLine

MEMBER_QUALIFIERS = ("MI", "MR", "II", "HN")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAdjustment:
    """Money that belongs to no claim of its remittance; positive takes from the provider."""

    npi: str
    code: str
    reference: str
    amount_cents: int
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """One remittance (ST) of a file."""

    payer_id: str | None
    usage: str
    """ISA15: T of a test, P of a payment."""
    payment: x12.Payment
    payer_name: str
    payee_npi: str
    amount_cents: int
    """BPR02, negative where the payer debits (BPR03 D)."""
    claims: tuple[EraClaim, ...]
    adjustments: tuple[ProviderAdjustment, ...]

    @property
    def claims_cents(self) -> int:
        return sum(claim.paid_cents for claim in self.claims)

    @property
    def adjusted_cents(self) -> int:
        return sum(adjustment.amount_cents for adjustment in self.adjustments)

    @property
    def difference_cents(self) -> int:
        """By how much the transaction does not balance."""
        return transaction_difference(
            amount_cents=self.amount_cents,
            paid_cents=[claim.paid_cents for claim in self.claims],
            provider_adjustments=[adjustment.amount_cents for adjustment in self.adjustments],
        )


def eras(raw: bytes, tenant_id: str) -> list[Era]:
    """Every remittance of the file, in its order; none where the file holds no readable 835."""
    try:
        records = x12.read(raw).records
    except NotX12:
        return []
    return [_era(found, tenant_id) for found in records if isinstance(found, x12.Remittance)]


def _era(found: x12.Remittance, tenant_id: str) -> Era:
    sign = -1 if found.payment.credit_debit == "D" else 1
    return Era(
        payer_id=_payer_id(found.payer),
        usage=found.envelope.counts_as,
        payment=found.payment,
        payer_name=found.payer.name,
        payee_npi=_npi(found.payee),
        amount_cents=sign * found.payment.amount_cents,
        claims=tuple(_claim(claim, tenant_id, found.produced) for claim in found.claims),
        adjustments=tuple(
            ProviderAdjustment(
                npi=one.provider_id,
                code=one.code,
                reference=one.reference,
                amount_cents=one.amount_cents,
                account=f"plb:{plb.account(one.code)}",
            )
            for one in found.provider_adjustments
        ),
    )


def _payer_id(payer: x12.Party) -> str | None:
    """Our payer by any id that the remittance gives; None where none of them is known."""
    numbers = [payer.id, *(reference.value for reference in payer.references)]
    known = [payers.by_edi_id(number) for number in numbers if number]
    return next((one.id for one in known if one is not None), None)


def _npi(payee: x12.Party) -> str:
    if payee.id_qualifier == "XX":
        return payee.id
    return next((one.value for one in payee.references if one.qualifier in ("XX", "HPI")), payee.id)


def _claim(claim: x12.ClaimPayment, tenant_id: str, written_on: date | None) -> EraClaim:
    members = [
        party.id
        for party in (claim.insured, claim.patient)
        if party is not None and party.id_qualifier in MEMBER_QUALIFIERS
    ]
    dates = [when.start for when in claim.dates if when.qualifier in ("232", "472")]
    return EraClaim(
        pcn=claim.pcn,
        status=claim.status,
        charge_cents=claim.charge_cents,
        paid_cents=claim.paid_cents,
        patient_responsibility_cents=claim.patient_responsibility_cents,
        icn=claim.payer_control_number,
        original_reference=claim.original_reference,
        member_key=member_key(tenant_id, members[0] if members else None),
        service_date=min(dates, default=None),
        adjustments=_adjustments(claim.adjustments),
        lines=tuple(_line(line) for line in claim.lines),
        remark_codes=tuple(code for code in claim.remark_codes if code),
        defects=tuple(defect.partition(":")[0] for defect in claim.defects),
        decided_on=written_on,
    )


def _line(line: x12.ServicePayment) -> EraLine:
    allowed = [amount.amount_cents for amount in line.amounts if amount.qualifier == "B6"]
    return EraLine(
        procedure=line.procedure,
        modifiers=line.modifiers,
        submitted_procedure=line.submitted_procedure,
        charge_cents=line.charge_cents,
        paid_cents=line.paid_cents,
        allowed_cents=allowed[0] if allowed else None,
        service_date=line.service_date,
        control=line.line_control_number,
        adjustments=_adjustments(line.adjustments),
        remark_codes=line.remark_codes,
    )


def _adjustments(found: tuple[x12.Adjustment, ...]) -> tuple[Adjustment, ...]:
    return tuple(Adjustment(group=a.group, reason=a.reason, amount_cents=a.amount_cents) for a in found)
