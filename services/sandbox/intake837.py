"""The payer's front door: what keeps a claim out of adjudication, each as a status of the 277CA. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.sandbox.accumulators import Member
from services.sandbox.claims837 import Claim, Line, Person
from services.sandbox.plans import Payer

_PLACES = frozenset(f"{number:02d}" for number in (
    *range(1, 28), *range(31, 35), 41, 42, 49, *range(50, 59), 60, 61, 62, 65, 66, 71, 72, 81, 99,
))  # fmt: skip
_DIAGNOSIS = re.compile(r"[A-TV-Z]\d[0-9A-Z]{1,5}")
_PROCEDURE = re.compile(r"\d{5}|\d{4}[FTU]|[A-Z]\d{4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A status that rejects: category, status code, the entity it concerns, and the line where it is one line's."""

    category: str
    status: str
    entity: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the payer finds in its own files for a claim."""

    member: Member | None
    original_stands: bool = False
    """The claim that a replacement or void names has been adjudicated, and not replaced since."""
    forced: Refusal | None = None
    """A scenario's rejection."""


def refuse(claim: Claim, payer: Payer, known: Known, today: date) -> tuple[Refusal, ...]:
    """Every reason for which this claim is returned; empty when it goes on to adjudication."""
    found = [known.forced] if known.forced else []
    found += [*_member(claim, known.member), *_providers(claim, payer), *_frequency(claim, payer, known)]
    found += _amounts(claim)
    for line in claim.lines:
        found += _line(claim, line, today)
    return tuple(found)


def _member(claim: Claim, member: Member | None) -> Iterator[Refusal]:
    if member is None:
        yield Refusal(category="A3", status="33", entity="IL")
        return
    subscriber = claim.subscriber
    if subscriber.born and subscriber.born != member.birth_date:
        yield Refusal(category="A7", status="158", entity="IL")
    if letters(subscriber.last) != letters(member.last_name):
        yield Refusal(category="A7", status="125", entity="IL")


def _providers(claim: Claim, payer: Payer) -> Iterator[Refusal]:
    street, _, _, postal = claim.billing_address
    if not is_npi(claim.billing.id):
        yield Refusal(category="A7", status="562", entity="85")
    if not re.fullmatch(r"\d{9}", claim.billing_tax_id):
        yield Refusal(category="A7", status="128", entity="85")
    if re.match(r"P\.? ?O\.? ?BOX", street.upper()):
        yield Refusal(category="A7", status="503", entity="85")
    if not re.fullmatch(r"\d{9}", postal) or postal.endswith("0000"):
        yield Refusal(category="A7", status="500", entity="85")
    if payer.intake.billing_taxonomy and not claim.billing.taxonomy:
        yield Refusal(category="A6", status="145", entity="85")
    if not is_npi(claim.rendering.id):
        yield Refusal(category="A7", status="562", entity="82")
    if payer.intake.rendering_taxonomy and not claim.rendering.taxonomy:
        yield Refusal(category="A6", status="145", entity="82")


def _frequency(claim: Claim, payer: Payer, known: Known) -> Iterator[Refusal]:
    if claim.frequency not in payer.intake.frequencies:
        yield Refusal(category="A7", status="535")
    elif claim.frequency in ("7", "8"):
        if not claim.original_reference:
            yield Refusal(category="A6", status="464")
        elif not known.original_stands:
            yield Refusal(category="A7", status="464")


def _amounts(claim: Claim) -> Iterator[Refusal]:
    if claim.charge_cents != sum(line.charge_cents for line in claim.lines):
        yield Refusal(category="A7", status="400")
    if claim.place not in _PLACES:
        yield Refusal(category="A7", status="249")
    if not claim.diagnoses or not all(_DIAGNOSIS.fullmatch(code) for code in claim.diagnoses):
        yield Refusal(category="A7", status="255")
    if claim.sequence != "P" and not claim.prior_payer:
        yield Refusal(category="A6", status="286")
    if claim.prior_payer and any(not line.prior for line in claim.lines):
        yield Refusal(category="A6", status="286")


def _line(claim: Claim, line: Line, today: date) -> Iterator[Refusal]:
    at = line.number
    if not _PROCEDURE.fullmatch(line.code):
        yield Refusal(category="A7", status="454", line=at)
    if any(not re.fullmatch(r"[A-Z0-9]{2}", modifier) for modifier in line.modifiers):
        yield Refusal(category="A7", status="453", line=at)
    if line.place and line.place not in _PLACES:
        yield Refusal(category="A7", status="249", line=at)
    if not line.pointers or max(line.pointers) > len(claim.diagnoses) or min(line.pointers) < 1:
        yield Refusal(category="A8", status="477", line=at)
    if line.units < 1:
        yield Refusal(category="A7", status="476", line=at)
    if line.date > today or line.date == date.min:
        yield Refusal(category="A7", status="187", line=at)
    for prior in line.prior:
        if line.charge_cents != prior.paid_cents + sum(a.cents for a in prior.adjustments):
            yield Refusal(category="A7", status="400", line=at)


def is_npi(text: str) -> bool:
    """Ten digits whose last one checks the rest (Luhn over 80840 and the number)."""
    if not re.fullmatch(r"[12]\d{9}", text):
        return False
    total = 24  # what the prefix 80840 adds
    for place, digit in enumerate(reversed(text)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def letters(name: str) -> str:
    """A name as payers compare it: letters only, in one case."""
    return re.sub(r"[^A-Z]", "", name.upper())


def names_match(person: Person, member: Member) -> bool:
    """The last name is the member's, and the first name begins alike where it is given."""
    first = letters(person.first)
    return letters(person.last) == letters(member.last_name) and letters(member.first_name).startswith(first[:3])
