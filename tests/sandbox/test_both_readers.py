"""The sandbox's own X12 and `libs.x12` were written apart; here they meet, and neither finds fault with the other."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from libs import x12
from services.sandbox.claims837 import read_claims
from services.sandbox.guide import check
from services.sandbox.segments import read_interchange
from tests.sandbox.golden import FOLDER

NOW = datetime(2026, 10, 5, 18, tzinfo=UTC).replace(tzinfo=None)
ENVELOPE = x12.Envelope(sender_id="BRIGHTMINDS", receiver_id="PARITYCH", control_number=5, created=NOW)
HOME = x12.Address(line1="1 MAIN", city="AUSTIN", state="TX", postal_code="787011234")
PAYER = x12.Party(name="HARBOR BEHAVIORAL", id_qualifier="PI", id="HRBBH")
PATIENT = x12.Party(
    person=True,
    name="DOE",
    first_name="PAT",
    id_qualifier="MI",
    id="W1",
    birth_date=date(1980, 1, 1),
    gender="F",
    address=HOME,
)
GROUP = x12.Party(
    name="BRIGHT MINDS", id_qualifier="XX", id="1234567893", address=HOME, tax_id="741234567", taxonomy="261QM0801X"
)
CLINICIAN = x12.Party(
    person=True, name="SMITH", first_name="ALEX", id_qualifier="XX", id="1555667785", taxonomy="103TC0700X"
)
CLAIM = x12.Claim(
    pcn="PCN100",
    charge_cents=17550,
    billing_provider=GROUP,
    subscriber=x12.Subscriber(party=PATIENT, sequence="P", relationship="18", filing_code="CI"),
    payer=PAYER,
    pos="10",
    frequency="7",
    original_reference="HB1",
    authorization="A1",
    diagnoses=("F332", "F411"),
    rendering=CLINICIAN,
    lines=(
        x12.ServiceLine(
            procedure="90837",
            modifiers=("95",),
            charge_cents=17550,
            units=Decimal(1),
            pointers=(1, 2),
            service_date=date(2026, 10, 5),
            line_control_number="L1",
        ),
    ),
)


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.x12") if path.name != "harbor_837.x12"))
def test_our_library_finds_no_fault_in_the_files_by_hand(name: str) -> None:
    assert x12.check((FOLDER / name).read_bytes()).findings == ()


def test_both_find_the_one_fault_that_is_there() -> None:
    findings = x12.check((FOLDER / "harbor_837.x12").read_bytes()).findings
    assert [(finding.code, finding.segment) for finding in findings] == [("CLAIM_CHARGE", "CLM")]


def test_the_sandbox_reads_the_claims_that_our_library_writes() -> None:
    submitter = x12.Party(name="BM", id_qualifier="46", id="BM", contacts=(x12.Contact(name="J", phone="5125550100"),))
    receiver = x12.Party(name="CH", id_qualifier="46", id="PARITYCH")
    claims = (CLAIM, replace(CLAIM, pcn="PCN101", frequency="1", original_reference=""))
    file = x12.ClaimFile(
        envelope=ENVELOPE, submitter=submitter, receiver=receiver, claims=claims, reference="B1", set="837P"
    )
    [transaction] = read_interchange(x12.write_837p(file)).groups[0].sets
    assert check("837p", transaction.segments) == []
    first, second = read_claims(transaction)
    assert (first.pcn, first.charge_cents, first.place, first.frequency) == ("PCN100", 17550, "10", "7")
    assert (first.original_reference, first.authorization, first.diagnoses) == ("HB1", "A1", ("F332", "F411"))
    assert (first.lines[0].modifiers, first.lines[0].pointers) == (("95",), (1, 2))
    assert (second.pcn, second.original_reference, second.subscriber.id) == ("PCN101", "", "W1")


def test_the_sandbox_reads_the_questions_that_our_library_writes() -> None:
    question = x12.EligibilityQuestion(
        payer=PAYER,
        provider=replace(GROUP, address=None, tax_id="", taxonomy=""),
        subscriber=replace(PATIENT, address=None),
        traces=(x12.Trace(number="R1", originator="9BRIGHTMND"),),
        service_date=date(2026, 10, 5),
        service_types=("30", "MH"),
    )
    inquiry = x12.EligibilityInquiry(envelope=ENVELOPE, reference="R1", created=NOW, questions=(question,))
    [transaction] = read_interchange(x12.write_270(inquiry)).groups[0].sets
    assert check("270", transaction.segments) == []
