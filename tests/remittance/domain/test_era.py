"""A remittance's claims: kept as documents and read back the same, turned when they are reversals."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.remittance.domain.adjustments import Adjustment
from services.remittance.domain.era import EraClaim, EraLine, content, negated, of

adjustments = st.builds(
    Adjustment, group=st.sampled_from(["CO", "PR"]), reason=st.sampled_from(["45", "1"]), amount_cents=st.integers()
)
words = st.text("ABC123", max_size=5)
lines = st.builds(
    EraLine,
    procedure=words,
    charge_cents=st.integers(),
    paid_cents=st.integers(),
    modifiers=st.tuples(words),
    submitted_procedure=words,
    service_date=st.none() | st.dates(),
    control=words,
    adjustments=st.tuples(adjustments),
    remark_codes=st.tuples(words),
    allowed_cents=st.none() | st.integers(),
)
claims = st.builds(
    EraClaim,
    pcn=words,
    status=words,
    charge_cents=st.integers(),
    paid_cents=st.integers(),
    patient_responsibility_cents=st.integers(),
    icn=words,
    original_reference=words,
    member_key=st.none() | words,
    service_date=st.none() | st.dates(),
    adjustments=st.tuples(adjustments),
    lines=st.tuples(lines, lines),
    remark_codes=st.tuples(words),
    defects=st.tuples(words),
)


@given(claims)
def test_what_is_kept_is_read_back_the_same(claim: EraClaim) -> None:
    row = {
        "pcn": claim.pcn,
        "clp02": claim.status,
        "charge_cents": claim.charge_cents,
        "paid_cents": claim.paid_cents,
        "patient_responsibility_cents": claim.patient_responsibility_cents,
        "icn": claim.icn,
        "original_reference": claim.original_reference,
        "member_key": claim.member_key,
        "content": content(claim),
    }
    assert of(row) == claim


@given(claims)
def test_turning_twice_changes_nothing(claim: EraClaim) -> None:
    assert negated(negated(claim)) == claim


def test_a_claim_is_of_its_first_lines_date_where_it_has_none() -> None:
    line = EraLine(procedure="90834", charge_cents=1, paid_cents=1, service_date=date(2026, 10, 5))
    assert EraClaim(pcn="", status="1", charge_cents=1, paid_cents=1, lines=(line,)).on == date(2026, 10, 5)
