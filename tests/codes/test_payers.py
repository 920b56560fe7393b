"""The payers as every service knows them."""

from datetime import date

import pytest

from libs.codes.payers import by_edi_id, knows, payer, payers

DAY = date(2026, 10, 5)


def test_the_medical_plan_sends_behavioral_claims_to_its_administrator() -> None:
    administrator = payer("pay_meridian", DAY).carves_out_to
    assert administrator == "pay_harborbh"
    assert knows(administrator)


def test_medicare_takes_no_replacement_and_no_telehealth_modifier() -> None:
    medicare = payer("pay_medicare", DAY)
    assert (medicare.takes_replacement, medicare.telehealth_modifier) == (False, None)
    assert str(medicare.sequestration) == "0.02"


def test_a_payer_is_found_by_the_id_in_its_files() -> None:
    for payer_id in payers():
        found = payer(payer_id, DAY)
        assert by_edi_id(found.edi_id) == found
    assert by_edi_id("NOBODY") is None


def test_an_unknown_payer_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        payer("pay_nobody", DAY)
