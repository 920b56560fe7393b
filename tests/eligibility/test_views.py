"""What callers may send."""

from datetime import date

import pytest
from pydantic import ValidationError

from services.eligibility.views import AuthorizationBody, CoverageBody, PatientMessage

COVERAGE = {"patient_id": "pat_1", "payer_id": "pay_harborbh", "member_id": "HB1"}
GRANT = {
    "patient_id": "pat_1",
    "payer_id": "pay_bluebonnet",
    "number": "A1",
    "approved_units": 3,
    "effective_from": "2026-10-01",
    "effective_to": "2026-12-31",
}


@pytest.mark.parametrize(
    "change",
    [{"payer_id": "pay_nobody"}, {"rank": 0}, {"effective_from": "2026-02-01", "effective_to": "2026-01-31"}, {"x": 1}],
)
def test_a_coverage_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CoverageBody.model_validate(COVERAGE | change)


@pytest.mark.parametrize(
    "change", [{"number": None}, {"approved_units": -1}, {"effective_to": "2026-09-30"}, {"codes": ["9083"]}]
)
def test_an_authorization_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AuthorizationBody.model_validate(GRANT | change)


def test_a_draft_has_no_number_yet() -> None:
    assert AuthorizationBody.model_validate(GRANT | {"number": None, "status": "draft"}).number is None


def test_an_ehr_may_send_fields_of_its_own() -> None:
    patient = {
        "practice_id": "prc_1",
        "external_id": "MRN-1",
        "first_name": "Jo",
        "last_name": "Rivera",
        "dob": "1990-04-12",
        "sex": "F",
    }
    told = PatientMessage.model_validate({"patient": patient, "facility": "north"})
    assert (told.patient.dob, told.coverages) == (date(1990, 4, 12), [])
