"""The facts that claims tells, with nothing of the patient in the open."""

from libs.common.events import ClaimSubmitted, EncounterCreated
from tests.claims.conftest import Desk


async def test_nothing_in_the_open_says_who_or_what(desk: Desk) -> None:
    encounter = await desk.submitted()
    for model in (EncounterCreated, ClaimSubmitted):
        (event,) = await desk.api.told(model)
        spoken = event.model_dump_json(exclude={"sealed"})
        for secret in ("Rivera", "MRN-5521", "U123", "HB123", "90834", "F331", "1990-04-12", "2026-10-05T15"):
            assert secret not in spoken, (model.topic, secret)
        assert event.sealed is not None
    (told,) = await desk.api.told(ClaimSubmitted)
    assert told.sealed.lines[0].procedure == "90834"
    assert (told.encounter_id, told.lines[0].code_family) == (encounter["id"], "psychotherapy")
