"""What callers may send."""

import pytest
from pydantic import ValidationError

from services.credentialing.views import EnrollmentBody, LicenceBody, PracticeBody, StreetAddress
from tests.credentialing.organisation import LICENCE, STREET, a_practice


@pytest.mark.parametrize(
    "change",
    [{"npi": "1999999993"}, {"tin": "74-1234567"}, {"taxonomy": "clinic"}, {"phone": "512-555"}, {"address": None}],
)
def test_a_practice_that_no_payer_would_accept_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PracticeBody.model_validate(a_practice(**change))


def test_a_box_is_only_good_for_post() -> None:
    with pytest.raises(ValidationError):
        StreetAddress.model_validate(STREET | {"line2": "PO BOX 7"})
    assert PracticeBody.model_validate(a_practice(pay_to=STREET | {"line1": "PO Box 7"})).pay_to is not None


def test_a_licence_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationError):
        LicenceBody.model_validate(LICENCE | {"expires_on": "2022-02-28"})


def test_an_enrollment_is_with_a_payer_that_exists() -> None:
    with pytest.raises(ValidationError):
        EnrollmentBody.model_validate({"provider_id": "prv_1", "practice_id": "prc_1", "payer_id": "pay_nobody"})
