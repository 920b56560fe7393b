"""An 837P, read as its payer would read it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from libs import x12
from libs.codes.payers import payer
from libs.common.clearinghouse import Account
from services.claims import build837
from services.claims.build837 import Material
from services.claims.domain import Content
from services.sandbox.accumulators import Member
from services.sandbox.acknowledge import judge
from services.sandbox.claims837 import read_claims
from services.sandbox.intake837 import Known, refuse
from services.sandbox.plans import payer_by_edi
from services.sandbox.segments import read_interchange
from tests.claims.conftest import an_encounter
from tests.claims.test_domain import a_claim, a_line

ACCOUNT = Account(submitter_id="PARITY01", receiver_id="SANDBOXCH", url="http://x.test", api_key="k")
NOW = datetime(2026, 10, 5, 18, tzinfo=UTC)
ADDRESS = {"line1": "7 Oak Ave", "line2": None, "city": "Austin", "state": "TX", "zip": "787010007"}
PRACTICE: dict[str, Any] = {
    "name": "Bright Minds",
    "npi": "1999999984",
    "tin": "741234567",
    "taxonomy": "261QM0801X",
    "address": ADDRESS,
    "pay_to": None,
    "contact_name": "Billing Desk",
    "phone": "(512) 555-0100",
}
PROVIDER = {"npi": "1234567893", "first_name": "Ada", "last_name": "Reyes", "taxonomy": "1041C0700X"}


def material(payer_id: str = "pay_harborbh", **changes: Any) -> Material:
    content = Content(place_of_service="11", modality="in_person", diagnoses=("F331", "F411"), lines=(a_line(),))
    given: dict[str, Any] = {
        "claim": a_claim(content=content, payer_id=payer_id),
        "payer": payer(payer_id, date(2026, 10, 5)),
        "pcn": "P00000001A1",
        "detail": an_encounter(collected_at_visit=[{"kind": "copay", "amount_cents": 2500}]),
        "answer": {"member_id": "HB123", "group_number": "G9", "relationship": "self"},
        "practice": PRACTICE,
        "provider": PROVIDER,
        "line_controls": ("P00000001A1L1",),
    }
    return Material(**given | changes)


def sent(of: Material) -> x12.Claim:
    """The claim as it stands in the file that goes out."""
    body = build837.file(ACCOUNT, of.practice, 1, NOW, (build837.claim_record(of),))
    return x12.read(body).one(x12.ClaimFile).claims[0]


@pytest.mark.parametrize(
    ("account", "usage", "receiver"),
    [
        (ACCOUNT, "P", "SANDBOXCH"),
        (replace(ACCOUNT, receiver_name="Sandbox Clearing House", test=True), "T", "SANDBOX CLEARING HOUSE"),
    ],
)
def test_a_file_is_a_test_where_the_account_is_and_names_who_gets_it(
    account: Account, usage: str, receiver: str
) -> None:
    found = x12.read(build837.file(account, PRACTICE, 1, NOW, (build837.claim_record(material()),)))
    file = found.one(x12.ClaimFile)
    assert (file.envelope.usage, file.receiver.name, file.receiver.id) == (usage, receiver, "SANDBOXCH")


def test_the_rendering_clinician_is_named_only_where_somebody_else_bills() -> None:
    assert sent(material()).rendering is not None
    solo = material(provider=PROVIDER | {"npi": PRACTICE["npi"]})
    assert sent(solo).rendering is None


def test_taxonomies_go_to_the_payers_that_adjudicate_on_them() -> None:
    medicaid, commercial = sent(material("pay_bluebonnet")), sent(material())
    assert (medicaid.billing_provider.taxonomy, commercial.billing_provider.taxonomy) == ("261QM0801X", "")
    assert medicaid.rendering is not None
    assert medicaid.rendering.taxonomy == "1041C0700X"


def test_a_patient_without_a_number_of_their_own_stands_under_the_subscriber() -> None:
    answer = {
        "member_id": "HB999",
        "relationship": "child",
        "subscriber_first_name": "Max",
        "subscriber_last_name": "Rivera",
    }
    claim = sent(material(answer=answer))
    assert claim.patient is not None
    assert (claim.subscriber.relationship, claim.subscriber.party.first_name) == ("", "MAX")
    assert (claim.patient.relationship, claim.patient.party.first_name) == ("19", "JO")


def test_a_replacement_names_the_payers_own_number() -> None:
    claim = sent(material(original_reference="ICN100"))
    assert (claim.frequency, claim.original_reference) == ("7", "ICN100")


def test_the_place_is_named_only_where_it_is_not_the_billing_address() -> None:
    clinic = {"name": "East Clinic", "npi": None, "address": ADDRESS | {"line1": "9 Elm St"}}
    elsewhere = sent(material(location=clinic)).facility
    assert elsewhere is not None
    assert elsewhere.address is not None
    assert elsewhere.address.line1 == "9 ELM ST"
    assert sent(material(location=clinic | {"address": ADDRESS})).facility is None
    home = a_claim(content=replace(material().claim.content, place_of_service="10"))
    assert sent(material(location=clinic, claim=home)).facility is None


def test_authorization_copay_and_supervisor_are_on_the_claim() -> None:
    claim = sent(material(answer={"member_id": "HB123", "authorization_number": "A77"}, supervisor=PROVIDER))
    assert (claim.authorization, claim.patient_paid_cents) == ("A77", 2500)
    assert claim.supervising is not None


def test_only_the_denied_lines_of_a_claim_go_into_a_new_original() -> None:
    lines = (a_line(), a_line(id="sln_2", code="90785", charge_cents=1000))
    content = replace(material().claim.content, lines=lines, only_lines=("sln_2",))
    claim = sent(material(claim=a_claim(content=content)))
    assert ([line.procedure for line in claim.lines], claim.charge_cents) == (["90785"], 1000)


@pytest.mark.parametrize("payer_id", ["pay_harborbh", "pay_bluebonnet", "pay_medicare", "pay_summit"])
def test_the_payers_of_the_sandbox_which_read_with_code_of_their_own_take_it(payer_id: str) -> None:
    body = build837.file(ACCOUNT, PRACTICE, 1, NOW, (build837.claim_record(material(payer_id)),))
    (group,) = read_interchange(body).groups
    judgement = judge(group)
    assert ([verdict.errors for verdict in judgement.verdicts], judgement.reasons) == ([()], ())
    (claim,) = read_claims(judgement.accepted[0])
    reader = payer_by_edi(claim.payer.id)
    assert reader is not None
    member = Member(
        payer_id=payer_id,
        member_id="HB123",
        plan_id="any",
        first_name="Jo",
        last_name="Rivera",
        birth_date=date(1990, 4, 12),
        gender="F",
        effective_from=date(2026, 1, 1),
        used_year=2026,
    )
    assert refuse(claim, reader, Known(member=member), date(2026, 10, 5)) == ()
