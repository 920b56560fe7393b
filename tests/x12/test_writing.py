"""Writing: counts, hierarchy and numbers in place; what cannot be sent is refused; what is written has no finding."""

import dataclasses
import string
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs import x12
from tests.x12.samples import VALID

NOW = datetime(2026, 1, 20, 8, 30)  # noqa: DTZ001 - an interchange's time has no zone
ENVELOPE = x12.Envelope(sender_id="BRIGHTMINDS", receiver_id="CLEARHOUSE", control_number=7, created=NOW, usage="T")
PROVIDER = x12.Party(
    name="BRIGHT MINDS",
    id_qualifier="XX",
    id="1234567893",
    tax_id="741234567",
    taxonomy="261QM0801X",
    address=x12.Address(line1="100 MAIN ST", city="AUSTIN", state="TX", postal_code="787011234"),
)
PATIENT = x12.Party(
    person=True,
    name="DOE",
    first_name="PAT",
    id_qualifier="MI",
    id="W1",
    birth_date=date(1980, 1, 1),
    gender="F",
    address=x12.Address(line1="1 A ST", city="AUSTIN", state="TX", postal_code="78701"),
)
PAYER = x12.Party(name="ACME", id_qualifier="PI", id="60054")


def a_claim(**changes: object) -> x12.Claim:
    line = x12.ServiceLine(
        procedure="90837", charge_cents=17500, service_date=date(2026, 1, 5), line_control_number="L1"
    )
    claim = x12.Claim(
        pcn="P1",
        charge_cents=17500,
        billing_provider=PROVIDER,
        payer=PAYER,
        subscriber=x12.Subscriber(party=PATIENT, filing_code="CI"),
        diagnoses=("F332",),
        lines=(line,),
    )
    return dataclasses.replace(claim, **changes)  # type: ignore[arg-type]


def a_file(*claims: x12.Claim, **changes: object) -> x12.ClaimFile:
    file = x12.ClaimFile(
        envelope=ENVELOPE,
        submitter=x12.Party(
            name="BM", id_qualifier="46", id="123", contacts=(x12.Contact(name="JO", phone="5125550100"),)
        ),
        receiver=x12.Party(name="CH", id_qualifier="46", id="CH1"),
        reference="B1",
        claims=claims,
    )
    return dataclasses.replace(file, **changes)  # type: ignore[arg-type]


def test_claims_of_one_patient_share_their_levels() -> None:
    data = x12.write_837p(a_file(a_claim(), a_claim(pcn="P2")))
    assert data.count(b"HL*") == 2
    assert x12.check(data).findings == ()
    assert [claim.pcn for claim in x12.read(data).one(x12.ClaimFile).claims] == ["P1", "P2"]


def test_a_patient_who_is_not_the_subscriber_has_a_level() -> None:
    child = x12.Patient(
        party=dataclasses.replace(PATIENT, first_name="KIDD", id="", id_qualifier=""), relationship="19"
    )
    subscriber = x12.Subscriber(party=PATIENT, relationship="", filing_code="CI")
    data = x12.write_837p(a_file(a_claim(patient=child, subscriber=subscriber)))
    assert b"HL*2*1*22*1~" in data
    assert b"HL*3*2*23*0~" in data
    assert x12.check(data).findings == ()


def test_a_secondary_claim_carries_the_primary_payers_decision() -> None:
    decision = x12.LineAdjudication(
        payer_id="60054",
        procedure="90837",
        paid_cents=10000,
        adjustments=(
            x12.Adjustment(group="CO", reason="45", amount_cents=5000),
            x12.Adjustment(group="PR", reason="1", amount_cents=2500),
        ),
        adjudicated=date(2026, 1, 15),
    )
    line = dataclasses.replace(a_claim().lines[0], adjudications=(decision,))
    prior = x12.OtherPayer(
        sequence="P", subscriber=PATIENT, payer=PAYER, paid_cents=10000, claim_number="ICN1", filing_code="CI"
    )
    second = x12.Subscriber(party=PATIENT, sequence="S", filing_code="CI")
    data = x12.write_837p(
        a_file(
            a_claim(
                lines=(line,),
                other_payers=(prior,),
                subscriber=second,
                payer=x12.Party(name="B", id_qualifier="PI", id="7"),
            )
        )
    )
    data = data.replace(b"PI*7~", b"PI*77777~")
    assert x12.check(data).findings == ()
    assert b"CAS*CO*45*50~CAS*PR*1*25~" in data


def test_a_bill_keeps_its_codes_when_it_is_changed() -> None:
    file = x12.read(VALID["837I"].encode()).one(x12.ClaimFile)
    bill = dataclasses.replace(file.claims[0], pcn="S101")
    assert bill.principal_procedure == x12.Procedure(code="GZ58ZZZ", day=date(2026, 1, 6))
    assert bill.occurrences == (x12.Occurrence(code="11", day=date(2026, 1, 5)),)
    assert bill.occurrence_spans[0].end == date(2026, 1, 6)
    assert (bill.values, bill.conditions) == (
        (x12.BillValue(code="80", amount_cents=300),),
        (x12.Condition(code="C3"),),
    )
    assert (bill.admission, bill.discharge_hour, bill.admitting_diagnosis) == ("202601051415", "1130", "F332")
    written = x12.write(dataclasses.replace(file, claims=(bill,)))
    assert x12.read(written).one(x12.ClaimFile).claims == (bill,)
    assert x12.check(written).findings == ()


def test_more_than_five_thousand_claims_are_split() -> None:
    claim = a_claim()
    data = x12.write_837p(a_file(*[dataclasses.replace(claim, pcn=f"P{i}") for i in range(5001)]))
    assert data.count(b"ST*837*") == 2
    assert b"ST*837*0002*" in data
    assert b"GE*2*7~" in data
    assert sum(t.claims for t in x12.check(data).transactions) == 5001


@pytest.mark.parametrize("value", ["A*B", "A~B", "A:B", "A^B", "A\nB", "caf\xe9"])
def test_a_value_that_cannot_be_sent_is_refused(value: str) -> None:
    with pytest.raises(x12.Unwritable):
        x12.write_837p(a_file(a_claim(authorization=value)))
    with pytest.raises(x12.Unwritable):
        x12.write_837p(a_file(a_claim(), reference=value))


def test_what_must_be_there_is_asked_for() -> None:
    with pytest.raises(x12.Unwritable, match="CLM01"):
        x12.write_837p(a_file(a_claim(pcn="")))
    with pytest.raises(x12.Unwritable, match="2010AA"):
        x12.write_837p(a_file(a_claim(billing_provider=dataclasses.replace(PROVIDER, name=""))))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"diagnoses": ("F411",) * 13}, "12 diagnoses"),
        ({"lines": (x12.ServiceLine(procedure="90837", modifiers=("95", "HO", "HQ", "U1", "U2")),)}, "4 modifiers"),
        ({"lines": (x12.ServiceLine(procedure="90837", pointers=(1, 2, 3, 4, 5)),)}, "4 pointers"),
    ],
)
def test_nothing_is_left_out_for_want_of_room(changes: dict[str, object], name: str) -> None:
    with pytest.raises(x12.Unwritable, match=name):
        x12.write(a_file(a_claim(**changes)))


def test_other_delimiters_are_kept_to() -> None:
    marks = x12.Delimiters(element="|", component=">", repetition="!", segment="~", line_break="\n")
    data = x12.write_837p(a_file(a_claim(), envelope=dataclasses.replace(ENVELOPE, delimiters=marks)))
    assert b"SV1|HC>90837|175|UN|1|||1~\n" in data
    assert x12.check(data).findings == ()


@pytest.mark.parametrize("name", VALID)
def test_what_was_read_is_written_byte_for_byte(name: str) -> None:
    data = VALID[name].encode()
    record = x12.read(data).records[0]
    written = x12.write(record)
    assert x12.check(written).findings == ()
    assert x12.read(written).records == (record,)
    if name not in ("270", "271"):
        assert written == data


text = st.text(string.ascii_uppercase + string.digits + " .-'", min_size=1, max_size=18).map(lambda s: "A" + s.strip())


@settings(max_examples=60, deadline=None)
@given(
    name=text,
    pcn=st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=20),
    charge=st.integers(1, 10**9),
    units=st.decimals(1, 999, places=1),
    modifiers=st.lists(st.sampled_from(["95", "HO", "GT", "U1"]), max_size=4, unique=True).map(tuple),
    authorization=st.one_of(st.just(""), text),
)
def test_whatever_is_written_reads_as_it_was(
    name: str, pcn: str, charge: int, units: Decimal, modifiers: tuple[str, ...], authorization: str
) -> None:
    line = dataclasses.replace(a_claim().lines[0], charge_cents=charge, units=units, modifiers=modifiers, number=1)
    party = dataclasses.replace(PATIENT, name=name)
    claim = a_claim(
        pcn=pcn,
        charge_cents=charge,
        lines=(line,),
        authorization=authorization,
        subscriber=x12.Subscriber(party=party, filing_code="CI"),
    )
    data = x12.write_837p(a_file(claim))
    assert x12.read(data).one(x12.ClaimFile).claims == (claim,)
    assert [f for f in x12.check(data).findings if f.severity == "error"] == []


@settings(max_examples=60, deadline=None)
@given(amounts=st.lists(st.tuples(st.sampled_from(["CO", "PR", "OA"]), st.integers(1, 99999)), min_size=1, max_size=14))
def test_any_number_of_adjustments_is_written_in_sixes(amounts: list[tuple[str, int]]) -> None:
    record = x12.read(VALID["835"].encode()).one(x12.Remittance)
    adjustments = tuple(x12.Adjustment(group=g, reason=str(i + 1), amount_cents=a) for i, (g, a) in enumerate(amounts))
    claim = dataclasses.replace(record.claims[3], adjustments=adjustments)
    written = x12.write_835(dataclasses.replace(record, claims=(claim,)))
    assert x12.read(written).one(x12.Remittance).claims[0].adjustments == adjustments


def test_a_bill_has_twenty_five_diagnoses_and_which_of_them_were_there_at_the_admission() -> None:
    file = x12.read(VALID["837I"].encode()).one(x12.ClaimFile)
    others = tuple(x12.Diagnosis(code=f"F10{n:02d}", present_on_admission="YNUW"[n % 4]) for n in range(24))
    bill = dataclasses.replace(file.claims[0], present_on_admission="W", other_diagnoses=others)
    written = x12.write(dataclasses.replace(file, claims=(bill,)))
    assert x12.check(written).findings == ()
    assert x12.read(written).one(x12.ClaimFile).claims[0] == bill
    more = dataclasses.replace(bill, other_diagnoses=(*others, x12.Diagnosis(code="F1099")))
    with pytest.raises(x12.Unwritable, match="24 other_diagnoses"):
        x12.write(dataclasses.replace(file, claims=(more,)))
