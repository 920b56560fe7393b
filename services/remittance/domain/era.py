"""A remittance's claims as remittance keeps them: amounts, reasons and references, without names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from libs.codes.remarks import FORWARDED as PASSED_ON
from services.remittance.domain.adjustments import Adjustment

REVERSAL = "22"
NOT_OURS = "23"
PREDETERMINATION = "25"
FORWARDED = frozenset({"19", "20", "21"})
"""CLP02 of a claim that the payer has itself passed on to the next one."""
RANK = {"1": 1, "2": 2, "3": 3, "19": 1, "20": 2, "21": 3}
"""The payer's place as CLP02 tells it; 4 and others do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EraLine:
    """One adjudicated line (2110)."""

    procedure: str
    charge_cents: int
    paid_cents: int
    modifiers: tuple[str, ...] = ()
    submitted_procedure: str = ""
    service_date: date | None = None
    control: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    remark_codes: tuple[str, ...] = ()
    allowed_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EraClaim:
    """What became of one claim (2100)."""

    pcn: str
    status: str
    charge_cents: int
    paid_cents: int
    patient_responsibility_cents: int = 0
    icn: str = ""
    original_reference: str = ""
    member_key: str | None = None
    service_date: date | None = None
    adjustments: tuple[Adjustment, ...] = ()
    lines: tuple[EraLine, ...] = ()
    remark_codes: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    decided_on: date | None = None
    """The day on which the payer wrote the remittance."""

    @property
    def is_reversal(self) -> bool:
        return self.status == REVERSAL

    @property
    def is_forwarded(self) -> bool:
        """The payer has itself passed the claim on to the next one, by its status or by a remark."""
        return self.status in FORWARDED or not PASSED_ON.isdisjoint(self.remark_codes)

    @property
    def original_icn(self) -> str:
        """The payer's number of what a reversal takes back."""
        return self.original_reference or self.icn

    @property
    def on(self) -> date | None:
        """The claim's date of service, its first line's where the claim has none."""
        return self.service_date or next((line.service_date for line in self.lines if line.service_date), None)


def key_of(pcn: str) -> str:
    """A control number as it is compared: payers change case, drop signs, and add or drop leading zeros."""
    return "".join(c for c in pcn.upper() if c.isascii() and c.isalnum()).lstrip("0")


def negated(claim: EraClaim) -> EraClaim:
    """A reversal as what it takes back: every amount turned."""

    def turned(found: Iterable[Adjustment]) -> tuple[Adjustment, ...]:
        return tuple(replace(a, amount_cents=-a.amount_cents) for a in found)

    return replace(
        claim,
        charge_cents=-claim.charge_cents,
        paid_cents=-claim.paid_cents,
        patient_responsibility_cents=-claim.patient_responsibility_cents,
        adjustments=turned(claim.adjustments),
        lines=tuple(
            replace(
                line,
                charge_cents=-line.charge_cents,
                paid_cents=-line.paid_cents,
                adjustments=turned(line.adjustments),
            )
            for line in claim.lines
        ),
    )


def _adjustments(found: Iterable[Adjustment]) -> list[list[Any]]:
    return [[a.group, a.reason, a.amount_cents] for a in found]


def _read_adjustments(found: Iterable[list[Any]]) -> tuple[Adjustment, ...]:
    return tuple(Adjustment(group=group, reason=reason, amount_cents=amount) for group, reason, amount in found)


def content(claim: EraClaim) -> dict[str, Any]:
    """What of a claim is kept as one document beside its columns."""
    return {
        "service_date": claim.service_date.isoformat() if claim.service_date else None,
        "adjustments": _adjustments(claim.adjustments),
        "remark_codes": list(claim.remark_codes),
        "defects": list(claim.defects),
        "decided_on": claim.decided_on.isoformat() if claim.decided_on else None,
        "lines": [
            {
                "procedure": line.procedure,
                "modifiers": list(line.modifiers),
                "submitted_procedure": line.submitted_procedure,
                "charge_cents": line.charge_cents,
                "paid_cents": line.paid_cents,
                "allowed_cents": line.allowed_cents,
                "service_date": line.service_date.isoformat() if line.service_date else None,
                "control": line.control,
                "adjustments": _adjustments(line.adjustments),
                "remark_codes": list(line.remark_codes),
            }
            for line in claim.lines
        ],
    }


def of(row: Mapping[str, Any]) -> EraClaim:
    """The claim of a stored row."""
    kept = row["content"]
    return EraClaim(
        pcn=row["pcn"],
        status=row["clp02"],
        charge_cents=row["charge_cents"],
        paid_cents=row["paid_cents"],
        patient_responsibility_cents=row["patient_responsibility_cents"],
        icn=row["icn"],
        original_reference=row["original_reference"],
        member_key=row["member_key"],
        service_date=_date(kept["service_date"]),
        adjustments=_read_adjustments(kept["adjustments"]),
        remark_codes=tuple(kept["remark_codes"]),
        defects=tuple(kept["defects"]),
        decided_on=_date(kept.get("decided_on")),
        lines=tuple(
            EraLine(
                procedure=line["procedure"],
                modifiers=tuple(line["modifiers"]),
                submitted_procedure=line["submitted_procedure"],
                charge_cents=line["charge_cents"],
                paid_cents=line["paid_cents"],
                allowed_cents=line["allowed_cents"],
                service_date=_date(line["service_date"]),
                control=line["control"],
                adjustments=_read_adjustments(line["adjustments"]),
                remark_codes=tuple(line["remark_codes"]),
            )
            for line in kept["lines"]
        ),
    )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
