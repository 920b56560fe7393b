"""Acknowledging: the verdicts of a 999, TA1 and 277CA follow from the findings, and are themselves without one."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import pytest

from libs import x12
from tests.x12.changes import both, joined, put, segments
from tests.x12.mutations import CLAIM, REMIT
from tests.x12.other_mutations import OTHERS
from tests.x12.samples import CLAIMS, INQUIRY, REMITTANCE, STATUS_INQUIRY, VALID

NOW = datetime(2026, 2, 1, 9, 30)  # noqa: DTZ001 - an interchange's time has no zone


def verdict(data: bytes) -> x12.SyntaxAcknowledgement:
    return x12.read(x12.acknowledge(data, as_="999", created=NOW)).one(x12.SyntaxAcknowledgement)


@pytest.mark.parametrize("name", [name for name in VALID if name != "999"])
def test_a_valid_file_is_accepted(name: str) -> None:
    found = verdict(VALID[name].encode())
    assert (found.code, found.transactions[0].code, found.accepted) == ("A", "A", 1)


def test_an_error_is_placed_by_segment_and_element() -> None:
    found = verdict(joined(put("DMG*D8*19800101", 2, "19801301")(segments(CLAIMS))))
    assert (found.code, found.accepted) == ("R", 0)
    error = found.transactions[0].errors[0]
    assert (error.segment, error.position, error.loop, error.code) == ("DMG", 20, "2010", "8")
    assert (error.elements[0].position, error.elements[0].reference, error.elements[0].code) == (2, "1251", "8")
    assert found.transactions[0].reasons == ("5",)


def test_an_error_within_a_claim_names_the_claim() -> None:
    found = verdict(joined(put("DTP*472*D8*20260105", 3, "20260230")(segments(CLAIMS))))
    (error,) = found.transactions[0].errors
    assert (error.segment, error.loop, error.contexts) == ("DTP", "2400", (("CTX", "CLM01:T100"),))
    assert (error.elements[0].position, error.elements[0].code, error.elements[0].value) == (3, "8", "20260230")


def test_what_is_but_a_warning_is_noted_and_accepted() -> None:
    found = verdict(joined(put("N4*AUSTIN*TX*78704", 1, "AUSTIN ")(segments(CLAIMS))))
    assert (found.code, found.accepted, found.transactions[0].code) == ("E", 1, "E")
    assert [(e.segment, e.elements[0].position) for e in found.transactions[0].errors] == [("N4", 1)]


def test_a_missing_segment_is_named() -> None:
    parts = [part for part in segments(CLAIMS) if not part.startswith("N3*100")]
    errors = verdict(joined(parts)).transactions[0].errors
    assert ("N3", "3") in {(error.segment, error.code) for error in errors}


def test_balances_are_no_business_of_the_999() -> None:
    data = joined(put("CLM*T100", 2, "300")(segments(CLAIMS)))
    assert verdict(data).code == "A"
    answer = x12.read(x12.acknowledge(data, as_="277CA", created=NOW)).one(x12.ClaimAcknowledgement)
    assert [(claim.pcn, claim.accepted) for claim in answer.claims] == [("T100", False), ("T200", True), ("T300", True)]
    assert answer.claims[0].statuses[0].category == "A8"
    assert answer.batch is not None
    assert [(q.qualifier, q.quantity) for q in answer.batch.quantities] == [("90", Decimal(2)), ("AA", Decimal(1))]
    assert {claim.provider_tally for claim in answer.claims} == {answer.claims[0].provider_tally}
    tally = answer.claims[0].provider_tally
    assert tally is not None
    assert [(q.qualifier, q.quantity) for q in tally.quantities] == [("QA", Decimal(2)), ("QC", Decimal(1))]


def test_of_two_transactions_one_may_be_accepted() -> None:
    parts = segments(CLAIMS)
    start, end = 2, len(parts) - 2
    second = put("DMG*", 3, "X")(put("SE*", 2, "0002")(put("ST*", 2, "0002")(parts[start:end])))
    data = joined(put("GE*", 1, "2")([*parts[:end], *second, *parts[end:]]))
    found = verdict(data)
    assert (found.code, [v.code for v in found.transactions], found.accepted) == ("P", ["A", "R"], 1)


@pytest.mark.parametrize(
    ("change", "code", "note"),
    [
        (put("ISA*", 15, "Q"), "R", "020"),
        (put("IEA*", 2, "000000009"), "R", "001"),
        (put("IEA*", 1, "3"), "R", "021"),
        (put("BHT*", 2, "99"), "A", "000"),
        (put("ISA*", 6, "SENDER"), "R", "006"),
        (put("ISA*", 11, "A"), "E", "026"),
    ],
)
def test_a_ta1_speaks_of_the_envelope_only(change: object, code: str, note: str) -> None:
    data = joined(change(segments(CLAIMS)))  # type: ignore[operator]
    found = x12.read(x12.acknowledge(data, as_="TA1", created=NOW)).one(x12.InterchangeAcknowledgement)
    assert (found.code, found.note, found.control_number) == (code, note, 1)


def test_an_acknowledgement_is_not_acknowledged() -> None:
    with pytest.raises(x12.Unwritable):
        x12.acknowledge(VALID["999"].encode(), as_="999")


def test_an_inquiry_that_cannot_be_answered_is_told_why() -> None:
    data = joined(put("DMG*", 2, "19801301")(segments(INQUIRY)))
    answer = x12.read(x12.acknowledge(data, as_="271", created=NOW)).one(x12.EligibilityResponse).answers[0]
    assert [(r.reason, r.follow_up, r.level) for r in answer.rejections] == [("58", "C", "2100C")]
    data = joined(put("AMT*T3", 2, "abc")(segments(STATUS_INQUIRY)))
    status = x12.read(x12.acknowledge(data, as_="277", created=NOW)).one(x12.StatusResponse).answers[0]
    assert (status.statuses[0].category, status.trace) == ("E0", "PCN100")


KINDS: list[tuple[str, Literal["999", "TA1", "277CA"]]] = [
    ("837P", "999"),
    ("837P", "277CA"),
    ("837P", "TA1"),
    ("835", "999"),
    ("271", "999"),
]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_whatever_is_wrong_the_acknowledgement_itself_is_right(name: str, kind: Literal["999", "TA1", "277CA"]) -> None:
    for defect in {"837P": CLAIM, "835": REMIT}.get(name) or OTHERS[name]:
        data = joined(defect.change(segments(VALID[name])))
        answer = x12.acknowledge(data, as_=kind, created=NOW)
        report = x12.check(answer)
        assert report.ok, (defect.name, [(f.code, f.segment, f.element, f.message) for f in report.findings])


def test_a_remittance_that_does_not_balance_is_still_syntax() -> None:
    assert verdict(joined(both(put("BPR*", 2, "1"))(segments(REMITTANCE)))).code == "A"


def test_a_payer_says_that_it_will_decide_and_a_clearinghouse_only_that_it_has_the_claim() -> None:
    clearinghouse = x12.read(x12.acknowledge(CLAIMS.encode(), as_="277CA", created=NOW)).one(x12.ClaimAcknowledgement)
    assert (clearinghouse.source.code, *_said(clearinghouse.claims[0])) == ("AY", "A1", "19", "AY")
    payers = {part.split("*")[9] for part in segments(CLAIMS) if part.startswith("NM1*PR*")}
    parts = [part for part in segments(CLAIMS)]
    for head in payers:
        parts = [part.replace(f"*PI*{head}", "*PI*60054") for part in parts]
    data = joined(put("NM1*40", 9, "60054")(parts))
    payer = x12.read(x12.acknowledge(data, as_="277CA", created=NOW)).one(x12.ClaimAcknowledgement)
    assert (payer.source.code, *_said(payer.claims[0])) == ("PR", "A2", "20", "PR")


def _said(claim: x12.AcknowledgedClaim) -> tuple[str, str, str]:
    status = claim.statuses[0]
    return status.category, status.code, status.entity
