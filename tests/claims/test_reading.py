"""Claims and encounters as callers see them."""

from services.claims.claim_views import Totals
from services.claims.reading import shown
from tests.claims.conftest import Desk, an_encounter


def test_a_view_takes_from_a_row_what_it_shows() -> None:
    found = shown(Totals, {"payer_paid_cents": 5, "unknown": 1}, charge_cents=9)
    assert (found.payer_paid_cents, found.charge_cents, found.patient_cents) == (5, 9, None)


async def test_an_encounter_shows_where_its_claim_stands_and_what_was_found(desk: Desk) -> None:
    encounter = await desk.send(
        an_encounter(service={"psychotherapy_minutes": 55, "stop": "2026-10-05T15:55:00-05:00"})
    )
    await desk.check(encounter["id"])
    view = await desk.api.get(f"/v1/encounters/{encounter['id']}")
    assert (view["status"], view["checks"]["warnings"], view["checks"]["errors"]) == ("ready", 1, 0)
    assert view["checks"]["results"][0]["code"] == "missed_revenue"
