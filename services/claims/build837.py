"""A claim as its 837P says it, read as the payer would read it before it goes out."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from libs import x12
from libs.codes.payers import Payer
from libs.common.clearinghouse import Account
from services.claims import disclosure, prior_payers
from services.claims.domain import Claim, Line
from services.claims.prior_payers import RELATIONSHIP, SEQUENCE, Said

SENIOR = 65
"""From this age on Medicare is second to a working person's plan (SBR05 12), before it to a disabled one's (43)."""
AT_PATIENT = frozenset({"02", "10", "12"})
"""Places that are no location of the practice's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """A payer that has decided before the one that the claim goes to; `identity` names its subscriber."""

    said: Said
    payer: Payer
    identity: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything that a claim's 837P is made of; the dictionaries are the payloads of what others told us."""

    claim: Claim
    payer: Payer
    pcn: str
    detail: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    practice: Mapping[str, Any]
    provider: Mapping[str, Any]
    supervisor: Mapping[str, Any] | None = None
    location: Mapping[str, Any] | None = None
    original_reference: str | None = None
    line_controls: tuple[str, ...] = ()
    before: tuple[Before, ...] = ()
    """The payers before this one, first payer first."""


def claim_record(material: Material) -> x12.Claim:
    """The claim for the writer: billing group, subscriber or patient, payer, diagnoses, lines with their REF*6R."""
    claim = material.claim
    content = claim.content
    practice = material.practice
    solo = material.provider["npi"] == practice["npi"]
    supervisor = material.supervisor
    subscriber, patient = _insured(material)
    return x12.Claim(
        pcn=material.pcn,
        charge_cents=sum(line.charge_cents or 0 for line in content.sent_lines),
        billing_provider=_billing(practice, with_taxonomy=material.payer.taxonomy),
        pay_to=_pay_to(practice),
        subscriber=subscriber,
        patient=patient,
        payer=x12.Party(name=plain(material.payer.name), id_qualifier="PI", id=material.payer.edi_id),
        pos=content.place_of_service,
        frequency="7" if material.original_reference else "1",
        original_reference=material.original_reference or "",
        authorization=_authorization(material),
        diagnoses=content.diagnoses,
        patient_paid_cents=sum(taken["amount_cents"] for taken in material.detail["collected_at_visit"]) or None,
        rendering=None if solo else _clinician(material.provider, with_taxonomy=material.payer.taxonomy),
        supervising=_clinician(supervisor, with_taxonomy=False) if supervisor else None,
        facility=_facility(material),
        notes=(x12.Note(text=disclosure.NOTICE),) if disclosure.is_protected(material.detail) else (),
        other_payers=tuple(_other_payer(material, before) for before in material.before),
        lines=tuple(
            _line(line, claim.service_date, control, material.before)
            for line, control in zip(content.sent_lines, material.line_controls, strict=True)
        ),
    )


def plain(text: str | None) -> str:
    """A name as X12 carries it: capitals of the basic character set, accents and foreign quotes taken off.

    >>> plain("García-O’Neil")
    "GARCIA-O'NEIL"
    """
    apart = unicodedata.normalize("NFKD", (text or "").replace("’", "'"))
    letters = "".join(one for one in apart if one.isascii() and one.isprintable() and one not in "*~:^|<>")
    return " ".join(letters.upper().split())


def _address(address: Mapping[str, Any]) -> x12.Address:
    return x12.Address(
        line1=plain(address["line1"]),
        line2=plain(address.get("line2")),
        city=plain(address["city"]),
        state=address["state"],
        postal_code=address["zip"],
    )


def _billing(practice: Mapping[str, Any], *, with_taxonomy: bool) -> x12.Party:
    return x12.Party(
        name=plain(practice["name"]),
        id_qualifier="XX",
        id=practice["npi"],
        address=_address(practice["address"]),
        tax_id=practice["tin"],
        taxonomy=practice["taxonomy"] if with_taxonomy else "",
    )


def _pay_to(practice: Mapping[str, Any]) -> x12.Party | None:
    address = practice.get("pay_to")
    return x12.Party(address=_address(address)) if address else None


def _clinician(provider: Mapping[str, Any], *, with_taxonomy: bool) -> x12.Party:
    return x12.Party(
        person=True,
        name=plain(provider["last_name"]),
        first_name=plain(provider["first_name"]),
        id_qualifier="XX",
        id=provider["npi"],
        taxonomy=provider["taxonomy"] if with_taxonomy else "",
    )


def _facility(material: Material) -> x12.Party | None:
    """Where it happened, if that is not the billing provider's own address."""
    location = material.location
    if location is None or material.claim.content.place_of_service in AT_PATIENT:
        return None
    if location["address"] == material.practice["address"]:
        return None
    return x12.Party(
        name=plain(location["name"]),
        id_qualifier="XX" if location.get("npi") else "",
        id=location.get("npi") or "",
        address=_address(location["address"]),
    )


def _authorization(material: Material) -> str:
    own = material.claim.content.authorization_number
    return own or (material.answer or {}).get("authorization_number") or ""


def member_id(material: Material) -> str:
    """The patient's number at the payer that the claim goes to."""
    coverage = coverage_of(material.detail, material.claim.rank)
    told = (material.answer or {}).get("member_id")
    return str(material.claim.content.route_member_id or told or coverage.get("member_id") or "")


def coverage_of(detail: Mapping[str, Any], rank: int) -> Mapping[str, Any]:
    """The coverage of that rank as the EHR named it, an empty one where it named none."""
    return next((one for one in detail["coverages"] if one["rank"] == rank), {})


def _insured(material: Material) -> tuple[x12.Subscriber, x12.Patient | None]:
    """The patient as subscriber, or the subscriber with the patient under them."""
    detail, answer = material.detail["patient"], material.answer or {}
    coverage = coverage_of(material.detail, material.claim.rank)
    relationship = answer.get("relationship") or coverage.get("relationship") or "self"
    patient = x12.Party(
        person=True,
        name=plain(detail["last_name"]),
        first_name=plain(detail["first_name"]),
        middle_name=plain(detail.get("middle_name")),
        address=_address(detail["address"]) if detail.get("address") else None,
        birth_date=date.fromisoformat(detail["dob"]),
        gender=detail["sex"],
    )
    common: dict[str, Any] = {
        "sequence": SEQUENCE.get(material.claim.rank, "U"),
        "group_number": answer.get("group_number") or coverage.get("group_number") or "",
        "filing_code": material.payer.filing_code,
        "insurance_type": _insurance_type(material),
    }
    number = member_id(material)
    if relationship == "self":
        subscriber = replace(patient, id_qualifier="MI", id=number)
        return x12.Subscriber(party=subscriber, relationship="18", **common), None
    return (
        x12.Subscriber(party=_holder(detail, answer, coverage, number), relationship="", **common),
        x12.Patient(party=patient, relationship=RELATIONSHIP.get(relationship, "G8")),
    )


def _holder(
    patient: Mapping[str, Any], answer: Mapping[str, Any], coverage: Mapping[str, Any], number: str
) -> x12.Party:
    """Whose coverage it is, where it is not the patient's own."""
    named = coverage.get("subscriber") or {}
    return x12.Party(
        person=True,
        name=plain(answer.get("subscriber_last_name") or named.get("last_name") or patient["last_name"]),
        first_name=plain(answer.get("subscriber_first_name") or named.get("first_name")),
        id_qualifier="MI",
        id=number,
    )


def _insurance_type(material: Material) -> str:
    """Why Medicare pays after somebody else: a working person's plan, or a disabled one's (SBR05)."""
    if material.payer.kind != "medicare" or material.claim.rank == 1:
        return ""
    born, on = date.fromisoformat(material.detail["patient"]["dob"]), material.claim.service_date
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return "12" if age >= SENIOR else "43"


def _other_payer(material: Material, before: Before) -> x12.OtherPayer:
    patient, identity = material.detail["patient"], before.identity
    number = str(identity.get("member_id") or "")
    if (identity.get("relationship") or "self") == "self":
        first, last = plain(patient["first_name"]), plain(patient["last_name"])
        subscriber = x12.Party(person=True, name=last, first_name=first, id_qualifier="MI", id=number)
    else:
        subscriber = _holder(patient, identity, {}, number)
    return prior_payers.other_payer(before.said, before.payer, subscriber, identity)


def _line(line: Line, on: date, control: str, before: tuple[Before, ...]) -> x12.ServiceLine:
    decided = (prior_payers.of_line(one.said, one.payer, line.id, line.units) for one in before)
    return x12.ServiceLine(
        procedure=line.code,
        modifiers=line.modifiers,
        charge_cents=line.charge_cents or 0,
        units=Decimal(line.units),
        pointers=line.pointers,
        service_date=on,
        line_control_number=control,
        adjudications=tuple(one for one in decided if one is not None),
    )


def file(
    account: Account, practice: Mapping[str, Any], control_number: int, created: datetime, claims: tuple[x12.Claim, ...]
) -> bytes:
    """One interchange for one payer and practice; BHT03 is made of its control number. Raises x12.Unwritable."""
    phone = "".join(digit for digit in practice.get("phone") or "" if digit.isdigit())
    contact = x12.Contact(name=plain(practice.get("contact_name") or practice["name"]), phone=phone or "0000000000")
    return x12.write_837p(
        x12.ClaimFile(
            envelope=x12.Envelope(
                sender_id=account.submitter_id,
                receiver_id=account.receiver_id,
                control_number=control_number,
                created=created.astimezone(UTC).replace(tzinfo=None),
                usage=account.usage,
            ),
            submitter=x12.Party(
                name=plain(practice["name"]), id_qualifier="46", id=account.submitter_id, contacts=(contact,)
            ),
            receiver=x12.Party(
                name=plain(account.receiver_name or account.receiver_id), id_qualifier="46", id=account.receiver_id
            ),
            claims=claims,
            reference=reference(control_number),
        )
    )


def reference(control_number: int) -> str:
    """BHT03 of the batch with that control number; a 277CA for the whole file names it."""
    return f"B{control_number:09d}"
