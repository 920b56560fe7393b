"""The JSON of records: as their fields say, and for an 835 in the shape that the command line promises."""

import dataclasses
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from libs.x12.records import (
    Adjustment,
    ClaimPayment,
    Party,
    ProviderAdjustment,
    Reference,
    Remittance,
    ServicePayment,
    Source,
)


def plain(value: Any) -> Any:
    """A record as JSON: dates as ISO text, decimals as text, money as whole cents; raw bytes only as their span."""
    if isinstance(value, Source):
        return {"start": value.start, "end": value.end}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value


def party(value: Party | None) -> dict[str, Any] | None:
    """A party's name, number and address."""
    if value is None:
        return None
    return {
        "name": value.name,
        "first_name": value.first_name,
        "id_qualifier": value.id_qualifier,
        "id": value.id,
        "address": plain(value.address),
        "contacts": plain(value.contacts),
        "references": references(value.references),
    }


def references(values: tuple[Reference, ...]) -> list[dict[str, str]]:
    """References as qualifier and value."""
    return [{"qualifier": item.qualifier, "value": item.value} for item in values]


def adjustments(values: tuple[Adjustment, ...]) -> list[dict[str, Any]]:
    """Adjustments with their group, reason, cents and quantity."""
    return [
        {"group": a.group, "reason": a.reason, "amount_cents": a.amount_cents, "quantity": plain(a.quantity)}
        for a in values
    ]


def line(value: ServicePayment) -> dict[str, Any]:
    """One adjudicated line."""
    own = references(value.references)
    if value.line_control_number:
        own.insert(0, {"qualifier": "6R", "value": value.line_control_number})
    return {
        "procedure": value.procedure,
        "qualifier": value.qualifier,
        "modifiers": list(value.modifiers),
        "charged_cents": value.charge_cents,
        "paid_cents": value.paid_cents,
        "units": plain(value.units),
        "revenue_code": value.revenue_code,
        "submitted_procedure": value.submitted_procedure,
        "submitted_units": plain(value.submitted_units),
        "service_date": plain(value.service_date),
        "service_end": plain(value.service_end),
        "line_control_number": value.line_control_number,
        "adjustments": adjustments(value.adjustments),
        "remark_codes": list(value.remark_codes),
        "references": own,
        "amounts": plain(value.amounts),
        "balance": _balance(line_difference(value)),
    }


def claim(value: ClaimPayment) -> dict[str, Any]:
    """One claim of a remittance."""
    own = references(value.references)
    if value.original_reference:
        own.insert(0, {"qualifier": "F8", "value": value.original_reference})
    return {
        "id": value.pcn,
        "status": value.status,
        "charged_cents": value.charge_cents,
        "paid_cents": value.paid_cents,
        "patient_responsibility_cents": value.patient_responsibility_cents,
        "payer_control_number": value.payer_control_number,
        "filing_code": value.filing_code,
        "frequency": value.frequency,
        "patient": party(value.patient),
        "rendering": party(value.rendering),
        "crossover": party(value.crossover),
        "dates": plain(value.dates),
        "adjustments": adjustments(value.adjustments),
        "remark_codes": list(value.remark_codes),
        "references": own,
        "amounts": plain(value.amounts),
        "lines": [line(item) for item in value.lines],
        "balance": _balance(claim_difference(value)),
        "span": plain(value.source),
        "defects": list(value.defects),
    }


def provider_adjustment(value: ProviderAdjustment) -> dict[str, Any]:
    """Money outside the claims."""
    return plain(value)  # type: ignore[no-any-return]


def payment(record: Remittance) -> dict[str, Any]:
    """The money of a remittance."""
    money = record.payment
    return {
        "amount_cents": money.amount_cents,
        "method": money.method,
        "trace_number": money.trace_number,
        "date": plain(money.paid_on),
        "handling": money.handling,
        "credit_debit": money.credit_debit,
        "payer_identifier": money.payer_identifier,
    }


def line_difference(value: ServicePayment) -> int:
    """Charge less adjustments less payment; 0 when the line balances."""
    return value.charge_cents - sum(a.amount_cents for a in value.adjustments) - value.paid_cents


def claim_difference(value: ClaimPayment) -> int:
    """Charge less all adjustments less payment; 0 when the claim balances."""
    adjusted = sum(a.amount_cents for a in value.adjustments)
    adjusted += sum(a.amount_cents for item in value.lines for a in item.adjustments)
    return value.charge_cents - adjusted - value.paid_cents


class Balances:
    """The three balances of a remittance, kept while its claims go by."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.claims: list[dict[str, Any]] = []
        self.line_sum = self.claim_sum = self.claims_paid = 0
        self.off_lines = self.off_claims = 0

    def add(self, value: ClaimPayment) -> None:
        """Take in a claim."""
        self.claims_paid += value.paid_cents
        difference = claim_difference(value)
        lines_charged = sum(item.charge_cents for item in value.lines)
        uncharged = value.charge_cents - lines_charged if value.lines else 0
        if difference or uncharged:
            self.off_claims += 1
            self.claim_sum += difference
            if len(self.claims) < 1000:
                self.claims.append(
                    {"claim": value.pcn, "difference_cents": difference, "lines_difference_cents": uncharged}
                )
        for number, item in enumerate(value.lines, 1):
            off = line_difference(item)
            if off:
                self.off_lines += 1
                self.line_sum += off
                if len(self.lines) < 1000:
                    self.lines.append({"claim": value.pcn, "line": number, "difference_cents": off})

    def result(self, record: Remittance) -> dict[str, Any]:
        """Lines, claims and the transaction, each with its difference."""
        taken = sum(a.amount_cents for a in record.provider_adjustments)
        expected = self.claims_paid - taken
        stated = record.payment.amount_cents
        if record.payment.credit_debit == "D" and stated > 0:
            stated = -stated
        return {
            "line": {"ok": not self.off_lines, "difference_cents": self.line_sum, "unbalanced": self.lines},
            "claim": {"ok": not self.off_claims, "difference_cents": self.claim_sum, "unbalanced": self.claims},
            "transaction": {
                "ok": expected == stated,
                "difference_cents": expected - stated,
                "claims_paid_cents": self.claims_paid,
                "provider_adjustments_cents": taken,
                "expected_cents": expected,
                "stated_cents": record.payment.amount_cents,
            },
        }


def _balance(difference: int) -> dict[str, Any]:
    return {"ok": not difference, "difference_cents": difference}
