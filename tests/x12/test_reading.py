"""Reading: whatever the delimiters and line breaks, the same records; claim by claim, lossless."""

import dataclasses
import io
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from libs import x12
from tests.x12.changes import joined, segments
from tests.x12.samples import CLAIMS, REMITTANCE, VALID

Claims = x12.ClaimFile


def claims_of(data: bytes) -> tuple[x12.Claim, ...]:
    return x12.read(data).one(Claims).claims


def test_a_claim_has_what_its_segments_say() -> None:
    first, second, third = claims_of(CLAIMS.encode())
    assert (first.pcn, first.charge_cents, first.pos, first.authorization, first.referral) == (
        "T100",
        30500,
        "11",
        "AUTH0001",
        "REF77",
    )
    assert first.diagnoses == ("F411", "F4310")
    assert first.billing_provider.id == "1234567893"
    assert first.billing_provider.taxonomy == "261QM0801X"
    assert first.pay_to is not None
    assert first.supervising is not None
    assert [line.service_date for line in first.lines] == [date(2026, 1, 5), date(2026, 1, 12)]
    assert first.lines[0].modifiers == ("95",)
    assert first.lines[0].pointers == (1, 2)
    assert second.patient is not None
    assert second.patient.party.birth_date == date(2015, 3, 3)
    assert (second.frequency, second.original_reference, second.lines[0].units) == ("7", "ICN900", Decimal(8))
    payer = third.other_payers[0]
    assert (payer.paid_cents, payer.claim_number, payer.payer.id) == (16000, "ICN700", "60054")
    decision = third.lines[1].adjudications[0]
    assert [(a.group, a.reason, a.amount_cents) for a in decision.adjustments] == [
        ("CO", "45", 5000),
        ("PR", "3", 2000),
    ]


def test_a_payment_has_every_reason_and_every_remark() -> None:
    record = x12.read(REMITTANCE.encode()).one(x12.Remittance)
    reversal, correction, partial, denied = record.claims
    assert (reversal.status, reversal.paid_cents, reversal.original_reference) == ("22", -9750, "ICN100")
    assert correction.lines[0].modifiers == ("95",)
    assert partial.adjustments[0].reason == "253"
    assert partial.remark_codes == ("MA01",)
    assert [(a.reason, a.amount_cents, a.quantity) for a in partial.lines[0].adjustments] == [
        ("45", 5200, Decimal(1)),
        ("97", 2000, None),
    ]
    assert partial.lines[1].remark_codes == ("N130",)
    assert denied.patient_responsibility_cents == 0
    assert [(a.code, a.reference, a.amount_cents) for a in record.provider_adjustments] == [
        ("WO", "ICN050", 1500),
        ("L6", "", -500),
    ]
    assert record.payment.paid_on == date(2026, 1, 20)


def test_benefits_keep_repetitions_messages_and_the_carve_out() -> None:
    answer = x12.read(VALID["271"].encode()).one(x12.EligibilityResponse).answers[0]
    assert answer.benefits[0].service_types == ("30", "MH")
    assert answer.benefits[2].percent == Decimal("0.2")
    assert answer.benefits[3].messages == ("FIRST THREE VISITS FREE",)
    contact = answer.benefits[4].entities[0]
    assert (answer.benefits[4].code, contact.name, contact.contacts[0].phone) == (
        "U",
        "MINDCARE BEHAVIORAL",
        "8005550199",
    )


@pytest.mark.parametrize("end", ["~", "~\n", "~\r\n", "\n", "~   ", "~\n\n\t"])
def test_line_breaks_and_indentation_change_nothing(end: str) -> None:
    data = end.join(segments(CLAIMS)).encode() + end.encode()
    assert claims_of(data) == claims_of(CLAIMS.encode())
    assert [f.code for f in x12.check(data).findings if f.severity == "error"] == []


@pytest.mark.parametrize("marks", ["|>{'", "\x1d\x1f\x1e\x1c", "+:*!"])
def test_delimiters_come_from_the_isa(marks: str) -> None:
    element, component, repetition, segment = list(marks)
    table = {ord("*"): element, ord(":"): component, ord("^"): repetition, ord("~"): segment}
    data = VALID["271"].translate(table).encode("latin-1")
    assert (
        x12.read(data).one(x12.EligibilityResponse).answers
        == x12.read(VALID["271"].encode()).one(x12.EligibilityResponse).answers
    )


def test_a_byte_order_mark_junk_and_a_missing_terminator_are_findings_and_no_obstacle() -> None:
    data = b"\xef\xbb\xbf" + CLAIMS.encode()[:-1]
    assert claims_of(data) == claims_of(CLAIMS.encode())
    assert {f.code for f in x12.check(data).findings} == {"BYTE_ORDER_MARK", "NO_LAST_TERMINATOR"}
    assert {f.code for f in x12.check(b"hello\n" + CLAIMS.encode()).findings} == {"JUNK_BEFORE_ISA"}


def test_a_short_isa_is_read() -> None:
    parts = segments(CLAIMS)
    parts[0] = "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260120*0830*^*00501*000000001*0*T*:"
    assert len(claims_of(joined(parts))) == 3
    assert "ISA_LENGTH" in {f.code for f in x12.check(joined(parts)).findings}


def test_the_bytes_and_their_span_are_kept() -> None:
    data = CLAIMS.encode()
    for claim in claims_of(data):
        assert claim.source is not None
        assert data[claim.source.start : claim.source.end] == claim.source.raw
        assert claim.source.raw.startswith(b"CLM*" + claim.pcn.encode())
        assert claim.source.segments[0][1] == claim.pcn


def test_what_has_no_field_stays_reachable() -> None:
    parts = segments(CLAIMS)
    at = next(i for i, part in enumerate(parts) if part.startswith("HI*"))
    parts[at:at] = ["K3*STATE DATA", "CRC*ZZ*Y*ST"]
    claim = claims_of(joined(parts))[0]
    assert claim.extra == (("K3", "STATE DATA"), ("CRC", "ZZ", "Y", "ST"))


def test_a_value_that_cannot_be_read_is_named_and_never_guessed() -> None:
    claim = claims_of(CLAIMS.replace("*240***12:B:7", "*24O***12:B:7").encode())[1]
    assert claim.charge_cents == 0
    assert claim.defects == ("CLM: '24O'",)


def test_a_claim_changed_is_another_claim_without_a_source() -> None:
    claim = claims_of(CLAIMS.encode())[0]
    other = dataclasses.replace(claim, pcn="NEW")
    assert other.source is None
    assert dataclasses.replace(other, pcn="T100") == claim


def test_a_stream_a_path_and_bytes_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "claims.edi"
    path.write_bytes(CLAIMS.encode())
    assert (
        claims_of(path.read_bytes())
        == x12.read(path).one(Claims).claims
        == x12.read(io.BytesIO(CLAIMS.encode())).one(Claims).claims
    )


def test_transactions_and_claims_come_one_at_a_time() -> None:
    seen = []
    for transaction in x12.read((CLAIMS + REMITTANCE).encode()):
        seen += [(transaction.set, item.pcn) for item in transaction]
    assert seen == [
        ("837P", "T100"),
        ("837P", "T200"),
        ("837P", "T300"),
        *[("835", p) for p in ("PCN100", "PCN100", "PCN200", "PCN300")],
    ]


def test_what_is_not_x12_says_so() -> None:
    with pytest.raises(x12.Unreadable):
        _ = x12.read(b"hello").records
    assert not x12.check(b"hello").readable


def test_a_set_without_a_specification_keeps_its_segments() -> None:
    data = CLAIMS.replace("ST*837*", "ST*850*").encode()
    record = x12.read(data).one(x12.OtherTransaction)
    assert (record.set, record.segments[0][0]) == ("850", "BHT")


@pytest.mark.parametrize("name", ["835", "837P", "837I"])
def test_an_item_read_at_once_is_the_same_as_one_read_segment_by_segment(name: str) -> None:
    chance = Random(7)
    at_once = 0
    for _ in range(60):
        mixed = segments(VALID[name])
        for _ in range(chance.randrange(3)):
            place = chance.randrange(1, len(mixed) - 3)
            mixed.insert(chance.randrange(place, len(mixed) - 3), mixed.pop(place))
        for transaction in x12.read(joined(mixed)):
            for item in transaction:
                level = getattr(getattr(item, "_later", None), "__self__", None)
                if level is None:  # not taken as a whole, since it begins at an odd place
                    continue
                slow, quick = level.machine.readers.draft(), level.machine.readers.draft()
                defects: list[str] = []
                level._run(slow, defects)
                slow.defects = tuple(defects)
                level.machine.readers.finish(slow)
                assert item == slow
                with suppress(ValueError, AttributeError, IndexError):  # what the reader at once leaves to the other
                    level._whole(quick)
                    assert quick == slow
                    at_once += 1
    assert at_once > 20
