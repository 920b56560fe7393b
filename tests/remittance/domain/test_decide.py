"""A payer's answer on a claim becomes decisions on our lines that sum to it."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.remittance.domain.adjustments import Adjustment
from services.remittance.domain.decide import OurLine, decide
from services.remittance.domain.era import EraClaim, EraLine

ON = date(2026, 10, 5)


def ours(*charges: int, said: tuple[EraLine, ...] = ()) -> list[OurLine]:
    return [
        OurLine(line_id=f"sln_{n}", charge_cents=c, service_date=ON, said=said[n : n + 1])
        for n, c in enumerate(charges)
    ]


def whole(charge: int, paid: int, *adjustments: tuple[str, str, int], lines: tuple[EraLine, ...] = ()) -> EraClaim:
    return EraClaim(
        pcn="P1", status="1", charge_cents=charge, paid_cents=paid, lines=lines,
        adjustments=tuple(Adjustment(group=g, reason=r, amount_cents=cents) for g, r, cents in adjustments),
    )  # fmt: skip


def test_a_claim_without_lines_is_spread_over_ours_by_charge() -> None:
    found = decide(whole(10000, 6000, ("CO", "45", 4000)), ours(7500, 2500), "pay_harborbh")
    assert [(one.paid_cents, one.classes.contractual) for one in found] == [(4500, 3000), (1500, 1000)]


def test_a_raise_above_the_charge_is_spread_like_a_reduction() -> None:
    found = decide(whole(10000, 11000, ("CO", "94", -1000)), ours(7500, 2500), "pay_harborbh")
    assert [one.paid_cents for one in found] == [8250, 2750]


def test_remarks_of_the_claim_are_every_lines() -> None:
    line = EraLine(procedure="90834", charge_cents=100, paid_cents=100, remark_codes=("N130",))
    claim = EraClaim(pcn="", status="1", charge_cents=100, paid_cents=100, lines=(line,), remark_codes=("MA01", "N130"))
    assert decide(claim, ours(100, said=(line,)), None)[0].remark_codes == ("N130", "MA01")


@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=6), st.data())
def test_no_cent_is_lost_or_made_by_spreading(charges: list[int], data: st.DataObject) -> None:
    total = sum(charges)
    contractual = data.draw(st.integers(0, total))
    patient = data.draw(st.integers(0, total - contractual))
    paid = total - contractual - patient
    found = decide(whole(total, paid, ("CO", "45", contractual), ("PR", "1", patient)), ours(*charges), None)
    assert sum(one.paid_cents for one in found) == paid
    assert sum(one.classes.contractual for one in found) == contractual
    assert sum(one.classes.patient for one in found) == patient
    for one, charge in zip(found, charges, strict=True):
        assert one.paid_cents >= 0
        assert one.paid_cents + one.classes.contractual + one.classes.patient == charge
