"""What a payer's refusal of a question (AAA03) means, whose it is to mend, and how; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """`outcome` retry: the payer could not answer now; the words are our own."""

    outcome: str
    field: str
    owner: str
    words: str


_UNSURE: Final = Refusal(outcome="rejected", field="", owner="billing", words="Read the payer's answer and ask again.")
REFUSALS: Final[dict[str, Refusal]] = {
    "41": Refusal(outcome="rejected", field="provider", owner="billing", words="Enroll for eligibility questions."),
    "42": Refusal(outcome="retry", field="", owner="billing", words="The payer cannot answer now; asked again."),
    "43": Refusal(outcome="rejected", field="provider", owner="credentialing", words="Check the practice's NPI."),
    "50": Refusal(outcome="rejected", field="provider", owner="credentialing", words="The payer refuses the practice."),
    "51": Refusal(outcome="rejected", field="provider", owner="credentialing", words="The practice is not on file."),
    "52": Refusal(outcome="rejected", field="service_date", owner="front_desk", words="The date is outside the plan."),
    "56": Refusal(outcome="rejected", field="service_date", owner="front_desk", words="Check the date."),
    "57": Refusal(outcome="rejected", field="service_date", owner="front_desk", words="Check the date of service."),
    "58": Refusal(outcome="rejected", field="dob", owner="front_desk", words="Check the date of birth."),
    "62": Refusal(outcome="rejected", field="service_date", owner="billing", words="Ask by phone: too far back."),
    "63": Refusal(outcome="rejected", field="service_date", owner="billing", words="Ask again later: too far ahead."),
    "64": Refusal(outcome="rejected", field="member_id", owner="front_desk", words="Check the card: patient id."),
    "65": Refusal(outcome="rejected", field="name", owner="front_desk", words="Check the patient's name."),
    "66": Refusal(outcome="rejected", field="sex", owner="front_desk", words="Check the patient's sex."),
    "67": Refusal(outcome="not_found", field="patient", owner="front_desk", words="Check the card: no such patient."),
    "68": Refusal(outcome="rejected", field="patient", owner="billing", words="The payer has the patient twice."),
    "71": Refusal(outcome="rejected", field="dob", owner="front_desk", words="The date of birth does not match."),
    "72": Refusal(outcome="rejected", field="member_id", owner="front_desk", words="Check the card: member id."),
    "73": Refusal(outcome="rejected", field="name", owner="front_desk", words="Check the subscriber's name."),
    "74": Refusal(outcome="rejected", field="sex", owner="front_desk", words="Check the subscriber's sex."),
    "75": Refusal(outcome="not_found", field="member_id", owner="front_desk", words="No such member: see the card."),
    "76": Refusal(outcome="rejected", field="member_id", owner="front_desk", words="The payer has the member twice."),
    "77": Refusal(outcome="not_found", field="member_id", owner="front_desk", words="Found, but not this patient."),
    "78": Refusal(outcome="rejected", field="group_number", owner="front_desk", words="Not in this group."),
    "79": Refusal(outcome="rejected", field="payer", owner="billing", words="The payer's id is not the right one."),
    "80": Refusal(outcome="retry", field="", owner="billing", words="No answer from the payer; asked again."),
    "payer_unknown": Refusal(outcome="rejected", field="payer", owner="billing", words="No payer has this id."),
    "administrator_unknown": Refusal(
        outcome="rejected", field="payer", owner="billing", words="Find out who administers mental health."
    ),
    "unwritable": Refusal(
        outcome="rejected", field="patient", owner="front_desk", words="A name or number cannot be sent: see the card."
    ),
    "unreadable": Refusal(
        outcome="rejected", field="", owner="billing", words="The clearinghouse did not answer with a 271."
    ),
}
"""Source: ASC X12N 005010X279A1 AAA03, then four reasons of our own; owners and words are ours."""


def refusal(code: str) -> Refusal:
    return REFUSALS.get(code, _UNSURE)


def outcome_of(codes: Iterable[str]) -> str:
    """not_found, rejected or retry: what a person must mend goes before what will mend itself."""
    found = {refusal(code).outcome for code in codes}
    return next(one for one in ("not_found", "rejected", "retry") if one in found)
