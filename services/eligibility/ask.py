"""The question to a payer (270): who asks, about whom, for which day."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from libs import x12
from libs.codes.payers import Payer
from libs.common.clearinghouse import Account

MENTAL_HEALTH: Final = "MH"
"""One service type for each question, since many payers answer only the first."""
RELATIONSHIPS: Final = {"spouse": "01", "child": "19", "other": "G8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks: the submitter's account, and the practice that will bill."""

    account: Account
    name: str
    npi: str


def trace(control_number: int) -> str:
    """Our number for the question, which the answer returns."""
    return f"E{control_number:09d}"


def question(
    asker: Asker,
    payer: Payer,
    patient: Mapping[str, Any],
    coverage: Mapping[str, Any],
    *,
    on: date,
    control_number: int,
    created: datetime,
) -> bytes:
    """The bytes of a 270 about one coverage on one day.

    A patient with a member id of their own, or who is the subscriber, is asked about as the subscriber.
    """
    subscriber, dependent, relationship = _people(patient, coverage)
    asked = x12.EligibilityQuestion(
        payer=x12.Party(name=payer.name.upper(), id_qualifier="PI", id=payer.edi_id),
        provider=x12.Party(name=spelled(asker.name), id_qualifier="XX", id=asker.npi),
        subscriber=subscriber,
        dependent=dependent,
        relationship=relationship,
        traces=(
            x12.Trace(number=trace(control_number), originator=f"9{asker.account.submitter_id}"[:10].ljust(10, "0")),
        ),
        service_date=on,
        service_types=(MENTAL_HEALTH,),
    )
    envelope = x12.Envelope(
        sender_id=asker.account.submitter_id,
        receiver_id=asker.account.receiver_id,
        control_number=control_number,
        created=created.replace(tzinfo=None),
        usage=asker.account.usage,
    )
    inquiry = x12.EligibilityInquiry(
        envelope=envelope, reference=trace(control_number), created=created.replace(tzinfo=None), questions=(asked,)
    )
    return x12.write_270(inquiry)


_SPELLED: Final = str.maketrans({"Ł": "L", "Ø": "O", "Æ": "AE", "Œ": "OE", "ß": "SS", "Đ": "D", "Þ": "TH", "’": "'"})


def spelled(name: str) -> str:
    """A name in the letters that X12 can carry: JOSÉ is JOSE.

    >>> spelled("José"), spelled("Łukasz"), spelled("O’Neil")
    ('JOSE', 'LUKASZ', "O'NEIL")
    """
    letters = unicodedata.normalize("NFKD", name.upper().translate(_SPELLED))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _people(patient: Mapping[str, Any], coverage: Mapping[str, Any]) -> tuple[x12.Party, x12.Party | None, str]:
    """Subscriber, dependent and relationship; gender is left out, since some payers refuse on it."""
    member = {"person": True, "id_qualifier": "MI", "id": coverage["member_id"]}
    person = {
        "name": spelled(patient["last_name"]),
        "first_name": spelled(patient["first_name"]),
        "birth_date": patient["dob"],
    }
    if coverage["relationship"] == "self":
        return x12.Party(**member, **person), None, ""
    subscriber = x12.Party(
        **member,
        name=spelled(coverage["subscriber_last_name"] or patient["last_name"]),
        first_name=spelled(coverage["subscriber_first_name"] or ""),
        birth_date=coverage["subscriber_dob"],
    )
    relationship = RELATIONSHIPS.get(coverage["relationship"], RELATIONSHIPS["other"])
    return subscriber, x12.Party(person=True, **person), relationship
