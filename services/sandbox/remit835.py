"""An 835 as the payer writes it: payment, claims, lines, and money that belongs to no claim."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.sandbox.claims837 import Adjustment, Claim
from services.sandbox.decisions import Decision, LineDecision
from services.sandbox.plans import Payer, payers
from services.sandbox.segments import Header, Writer, day, money, plain

_GROUPS = ("CO", "OA", "PI", "PR")
_PAIRS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPaid:
    """One CLP: a decision, or its mirror where `reversal` is true; `line_numbers` where the claim is paid in parts."""

    claim: Claim
    decision: Decision
    icn: str
    reversal: bool = False
    original_icn: str = ""
    received: date
    line_numbers: tuple[int, ...] = ()
    interest_cents: int = 0
    skew_cents: int = 0
    """A scenario's mistake: the first line's adjustments are off by so much."""

    @property
    def sign(self) -> int:
        return -1 if self.reversal else 1

    @property
    def lines(self) -> tuple[LineDecision, ...]:
        kept = self.line_numbers
        return tuple(part for part in self.decision.lines if not kept or part.line.number in kept)

    @property
    def paid_cents(self) -> int:
        return self.sign * sum(part.paid_cents for part in self.lines)

    @property
    def charge_cents(self) -> int:
        return self.sign * sum(part.line.charge_cents for part in self.lines)

    @property
    def patient_cents(self) -> int:
        return self.sign * sum(a.cents for part in self.lines for a in part.adjustments if a.group == "PR")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAdjustment:
    """A PLB pair: positive takes from the provider, negative gives."""

    code: str
    reference: str
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remittance:
    """One payment with all that explains it: amount = claims paid - provider adjustments."""

    payer: Payer
    payee: Claim
    """Any claim of the payee: its billing provider is the payee."""
    claims: tuple[ClaimPaid, ...]
    adjustments: tuple[ProviderAdjustment, ...]
    trace: str
    produced: date
    effective: date
    skew_cents: int = 0
    """A scenario's mistake: the stated payment is off by so much."""

    @property
    def amount_cents(self) -> int:
        paid = sum(part.paid_cents for part in self.claims)
        return paid - sum(pair.cents for pair in self.adjustments) + self.skew_cents

    @property
    def method(self) -> str:
        return self.payer.payment.method if self.amount_cents else "NON"


def write_835(remittance: Remittance, header: Header) -> bytes:
    """The remittance as one interchange."""
    writer = Writer(header)
    writer.begin("835", versioned=False)
    _payment(writer, remittance)
    _parties(writer, remittance)
    writer.add("LX", "1")
    for part in remittance.claims:
        _claim(writer, part, remittance.payer)
    _provider_adjustments(writer, remittance)
    writer.end()
    return writer.bytes()


def _payment(writer: Writer, remittance: Remittance) -> None:
    payer = remittance.payer
    effective = day(remittance.effective)
    amount = money(remittance.amount_cents)
    match remittance.method:
        case "ACH":
            schedule = payer.payment
            bank = (
                "01",
                schedule.routing,
                "DA",
                schedule.account,
                f"1{payer.tax_id}",
                "",
                "01",
                "111000614",
                "DA",
                "998877",
            )
            writer.add("BPR", "I", amount, "C", "ACH", "CCP", *bank, effective)
        case "CHK":
            writer.add("BPR", "I", amount, "C", "CHK", *[""] * 11, effective)
        case _:
            writer.add("BPR", "H", "0", "C", "NON", *[""] * 11, effective)
    writer.add("TRN", "1", remittance.trace, f"1{payer.tax_id}")
    writer.add("DTM", "405", day(remittance.produced))


def _parties(writer: Writer, remittance: Remittance) -> None:
    payer, payee = remittance.payer, remittance.payee
    writer.add("N1", "PR", payer.name, "XV", payer.edi_id)
    writer.add("N3", payer.address.street)
    writer.add("N4", payer.address.city, payer.address.state, payer.address.zip)
    writer.add("REF", "2U", payer.edi_id)
    writer.add("PER", "CX", "PROVIDER SERVICES", "TE", payer.phone)
    writer.add("PER", "BL", "EDI SUPPORT", "TE", payer.phone)
    street, city, state, postal = payee.billing_address
    writer.add("N1", "PE", plain(payee.billing.last), "XX", payee.billing.id)
    writer.add("N3", plain(street))
    writer.add("N4", plain(city), state, postal)
    writer.add("REF", "TJ", payee.billing_tax_id)


def _claim(writer: Writer, part: ClaimPaid, payer: Payer) -> None:
    claim = part.claim
    status = "22" if part.reversal else part.decision.status
    writer.add(
        "CLP",
        claim.pcn,
        status,
        money(part.charge_cents),
        money(part.paid_cents),
        money(part.patient_cents) if part.patient_cents else "",
        payer.claim_filing,
        part.icn,
        claim.place,
        claim.frequency,
    )
    patient = claim.patient
    number = patient.id or claim.subscriber.id
    writer.add("NM1", "QC", "1", plain(patient.last), plain(patient.first), "", "", "", "MI", number)
    if claim.rendering.id != claim.billing.id:
        rendering = claim.rendering
        writer.add("NM1", "82", "1", plain(rendering.last), plain(rendering.first), "", "", "", "XX", rendering.id)
    following = payers().get(part.decision.passed_on_to) if not part.reversal else None
    if following is not None:
        writer.add("NM1", "TT", "2", following.name, "", "", "", "", "PI", following.edi_id)
        writer.add("MOA", "", "", "MA18")
    elif part.decision.denied and not part.reversal:
        writer.add("MOA", "", "", "MA01")
    if part.original_icn:
        writer.add("REF", "F8", part.original_icn)
    dates = sorted(decided.line.date for decided in part.lines)
    writer.add("DTM", "232", day(dates[0]))
    writer.add("DTM", "233", day(dates[-1]))
    writer.add("DTM", "050", day(part.received))
    if part.interest_cents:
        writer.add("AMT", "I", money(part.interest_cents))
    for index, decided in enumerate(part.lines):
        _line(writer, decided, part, part.skew_cents if index == 0 else 0)


def _line(writer: Writer, decided: LineDecision, part: ClaimPaid, skew_cents: int) -> None:
    line, sign = decided.line, part.sign
    writer.add(
        "SVC",
        ":".join(("HC", line.code, *line.modifiers)),
        money(sign * line.charge_cents),
        money(sign * decided.paid_cents),
        "",
        str(sign * line.units),
    )
    writer.add("DTM", "472", day(line.date))
    _cas(writer, _skewed(decided.adjustments, skew_cents), sign)
    if line.control_number:
        writer.add("REF", "6R", line.control_number)
    if decided.allowed_cents and not part.reversal:
        writer.add("AMT", "B6", money(decided.allowed_cents))
    for remark in decided.remarks:
        writer.add("LQ", "HE", remark)


def _skewed(adjustments: tuple[Adjustment, ...], cents: int) -> tuple[Adjustment, ...]:
    return (*adjustments, Adjustment(group="CO", reason="45", cents=cents)) if cents else adjustments


def _cas(writer: Writer, adjustments: Iterable[Adjustment], sign: int) -> None:
    """One CAS per group; reasons of one group side by side, their amounts added up."""
    sums: dict[tuple[str, str], int] = {}
    for adjustment in adjustments:
        key = (adjustment.group, adjustment.reason)
        sums[key] = sums.get(key, 0) + adjustment.cents
    for group in _GROUPS:
        triplets = [(reason, cents) for (of, reason), cents in sums.items() if of == group]
        if triplets:
            elements = [text for reason, cents in triplets for text in (reason, money(sign * cents), "")]
            writer.add("CAS", group, *elements)


def _provider_adjustments(writer: Writer, remittance: Remittance) -> None:
    pairs = remittance.adjustments
    year_end = f"{remittance.effective.year}1231"
    for start in range(0, len(pairs), _PAIRS):
        elements = [t for p in pairs[start : start + _PAIRS] for t in (f"{p.code}:{p.reference}", money(p.cents))]
        writer.add("PLB", remittance.payee.billing.id, year_end, *elements)
