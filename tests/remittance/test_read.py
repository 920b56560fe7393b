"""An 835 as remittance keeps it: every amount and reference, no name and no member id."""

from datetime import date

import orjson

from libs import x12
from services.remittance.charge import member_key
from services.remittance.domain.era import content
from services.remittance.read import Era, eras
from tests.remittance.payers import PAID, an_835, answer, line


def read(raw: bytes) -> Era:
    [found] = eras(raw, "tnt_a")
    return found


def test_a_remittance_is_read_to_the_cent() -> None:
    said = answer("P1", line(13500, 9300, *PAID, control="P1L1", remarks=["N130"]), icn="ICN1", pos="11")
    era = read(an_835(said, plb=[("WO", "OLD", 500), ("L6", "X", -20)]))
    assert (era.amount_cents, era.claims_cents, era.adjusted_cents, era.difference_cents) == (8820, 9300, 480, 0)
    assert (era.payer_id, era.payee_npi, era.payment.trace_number) == ("pay_harborbh", "1234567893", "EFT1")
    assert [(one.code, one.account) for one in era.adjustments] == [
        ("WO", "plb:takeback_due"), ("L6", "plb:interest_income"),
    ]  # fmt: skip
    [claim] = era.claims
    assert (claim.pcn, claim.status, claim.icn, claim.on) == ("P1", "1", "ICN1", date(2026, 10, 5))
    assert (claim.lines[0].control, claim.lines[0].remark_codes) == ("P1L1", ("N130",))


def test_a_debit_is_below_zero() -> None:
    assert read(an_835(answer("P1", line(-100, -100), status="22"), amount=100, credit_debit="D")).amount_cents == -100


def test_who_the_patient_is_stays_in_the_sealed_file() -> None:
    said = answer("P1", line(13500, 9300, *PAID), patient=x12.Party(
        person=True, name="ZWEIG", first_name="STEFANIE", id_qualifier="MI", id="MEMBER77",
    ))  # fmt: skip
    [claim] = read(an_835(said)).claims
    kept = orjson.dumps(content(claim)) + repr(claim).encode()
    assert b"ZWEIG" not in kept
    assert b"MEMBER77" not in kept
    assert claim.member_key == member_key("tnt_a", "member77")
    assert claim.member_key != member_key("tnt_b", "MEMBER77")


def test_what_is_no_x12_holds_no_remittance() -> None:
    assert eras(b"", "tnt_a") == eras(b"%PDF-1.7", "tnt_a") == []
