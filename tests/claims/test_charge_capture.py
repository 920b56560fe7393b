"""What a session supports becomes the lines of a claim."""

from typing import Any

from services.claims.charge_capture import coded
from services.claims.views import EncounterIn
from tests.claims.conftest import an_encounter


def captured(**changes: Any) -> list[tuple[str, int, int | None]]:
    content, status, _ = coded(EncounterIn.model_validate(an_encounter(**changes)))
    assert content is not None, status
    return [(line.code, line.units, line.minutes) for line in content.lines]


def test_the_ehrs_own_codes_are_kept_with_the_minutes_that_must_support_them() -> None:
    assert captured() == [("90834", 1, 41)]
    line = {"code": "90834", "start_stop": ["2026-10-05T15:00:00-05:00", "2026-10-05T15:38:00-05:00"]}
    assert captured(lines=[line]) == [("90834", 1, 38)]
    assert captured(lines=[{"code": "90834", "minutes": 50}]) == [("90834", 1, 50)]


def test_without_codes_kind_and_minutes_choose_them() -> None:
    assert captured(lines=[]) == [("90834", 1, 41)]
    assert captured(lines=[], service={"psychotherapy_minutes": None}) == [("90834", 1, 44)]
    visit = {"em": "99214", "psychotherapy_minutes": 30}
    assert captured(lines=[], service=visit) == [("99214", 1, 30), ("90833", 1, 30)]
    units = {"kind": "units", "service_code": "H0004", "psychotherapy_minutes": None, "minutes": 60}
    assert captured(lines=[], service=units) == [("H0004", 4, 60)]


def test_diagnoses_stand_in_their_rank_without_dots() -> None:
    diagnoses = [{"rank": 2, "code": "F41.1"}, {"rank": 1, "code": "F33.1"}]
    content, _, _ = coded(EncounterIn.model_validate(an_encounter(diagnoses=diagnoses)))
    assert content is not None
    assert content.diagnoses == ("F331", "F411")


def test_what_is_not_for_a_payer_becomes_no_claim() -> None:
    for flags, status in (({"billable": False}, "not_billable"), ({"self_pay_restriction": True}, "self_pay")):
        assert coded(EncounterIn.model_validate(an_encounter(billing_flags=flags)))[:2] == (None, status)
    short = an_encounter(lines=[], service={"psychotherapy_minutes": 10})
    assert coded(EncounterIn.model_validate(short)) == (
        None,
        "minutes_not_billable",
        "10 minutes are fewer than the 16 that psychotherapy needs",
    )
