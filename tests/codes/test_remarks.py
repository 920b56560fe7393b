"""Remark codes narrow a reason down."""

from datetime import date

from libs.codes.remarks import SEND_NEW, remark, remarks


def test_the_remark_names_the_category_that_its_reason_leaves_open() -> None:
    found = remark("N290", date(2026, 1, 1))
    assert found is not None
    assert found.category == "provider_data"


def test_codes_after_which_only_a_new_claim_helps_are_known() -> None:
    assert set(remarks()) >= SEND_NEW
