"""Whose turn it is: as eligibility has told it, before that as the EHR named it."""

from datetime import date
from typing import Any

from libs.common.events import CoverageChanged
from libs.common.events.eligibility import CoverageIdentity
from services.claims import coverages, store
from services.claims.coverages import Coverage
from tests.claims.conftest import PRACTICE, Desk, an_encounter

SUMMIT = {"rank": 2, "payer": {"id": "pay_summit"}, "member_id": "S777"}


async def told(desk: Desk, patient_id: str, number: int, rank: int, **changes: Any) -> None:
    identity = {"member_id": f"M{number}"} | changes.pop("identity", {})
    given = {"coverage_id": f"cov_{number}", "patient_id": patient_id, "practice_id": PRACTICE, "rank": rank}
    given |= {"payer_id": "pay_summit", "status": "active", "sealed": CoverageIdentity(**identity)}
    await desk.api.deliver(CoverageChanged(**given | changes))


async def after(desk: Desk, encounter: dict[str, Any], rank: int = 1) -> Coverage | None:
    async with desk.api.worker.transaction(desk.api.tenant) as tx:
        return await coverages.after(tx, await store.load(tx, encounter["claims"][0]), rank)


async def test_before_eligibility_has_told_any_the_session_names_them(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(coverages=[*an_encounter()["coverages"], SUMMIT]))
    found = await after(desk, encounter)
    assert found is not None
    assert (found.payer_id, found.identity["member_id"]) == ("pay_summit", "S777")
    assert await after(desk, encounter, 2) is None


async def test_the_next_is_active_on_the_date_of_service(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(coverages=[*an_encounter()["coverages"], SUMMIT]))
    patient_id = encounter["patient_id"]
    await told(desk, patient_id, 1, 1, payer_id="pay_harborbh")
    assert await after(desk, encounter) is None
    await told(desk, patient_id, 2, 2, status="superseded")
    await told(desk, patient_id, 3, 2, identity={"effective_to": date(2026, 10, 4)})
    assert await after(desk, encounter) is None
    await told(desk, patient_id, 4, 3, identity={"effective_from": date(2026, 10, 5)})
    found = await after(desk, encounter)
    assert found is not None
    assert (found.rank, found.identity["member_id"]) == (3, "M4")


async def test_a_later_plan_that_leaves_behavioral_health_to_somebody_is_billed_there(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await told(desk, encounter["patient_id"], 1, 2, payer_id="pay_meridian", bill_payer_id="pay_harborbh")
    found = await after(desk, encounter)
    assert found is not None
    assert (found.payer_id, found.identity["member_id"]) == ("pay_harborbh", "M1")
