"""What other services tell is kept, the newest of each, and looked at where it matters."""

import asyncio
from datetime import date

from libs.common import timers
from libs.common.events import (
    CoverageChanged,
    EligibilityChecked,
    EnrollmentChanged,
    LocationChanged,
    ProviderChanged,
)
from libs.common.events.credentialing import Address, BillableSpan, LocationIdentity, ProviderIdentity
from libs.common.events.eligibility import CheckedIdentity
from services.claims import intake, learn, scrub, store
from services.claims.views import EncounterIn
from tests.claims.conftest import PRACTICE, PROVIDER, Desk, an_encounter


async def test_a_place_that_nobody_has_told_of_yet_is_waited_for(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(providers={"facility_id": "loc_1"}))
    await desk.check(encounter["id"])
    assert (await desk.claim(encounter))["reasons"] == ["location_unknown"]
    address = Address(line1="9 Elm St", city="Austin", state="TX", zip="787020001")
    await desk.api.deliver(
        LocationChanged(
            location_id="loc_1",
            practice_id=PRACTICE,
            status="active",
            place_of_service="11",
            sealed=LocationIdentity(name="East Clinic", address=address),
        )
    )
    await desk.api.run_due()
    assert (await desk.claim(encounter))["status"] == "ready"


async def test_an_enrollment_for_other_places_does_not_count(desk: Desk) -> None:
    encounter = await desk.send(an_encounter(providers={"facility_id": "loc_1"}))
    await desk.check(encounter["id"])
    enrollment = EnrollmentChanged(
        enrollment_id="enr_harborbh",
        provider_id=PROVIDER,
        practice_id=PRACTICE,
        payer_id="pay_harborbh",
        location_ids=["loc_2"],
        status="effective",
        billable=[BillableSpan(effective_from=date(2026, 1, 1))],
    )
    await desk.api.deliver(enrollment)
    await desk.api.run_due()
    assert (await desk.claim(encounter))["reasons"] == ["location_unknown", "enrollment"]


async def test_an_enrollment_that_ends_stops_what_was_ready(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    await desk.enroll(since=date(2026, 10, 6))
    await desk.at(18)
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["reasons"]) == ("waiting", ["enrollment"])


async def test_only_the_newest_news_counts(desk: Desk) -> None:
    def coverage(status: str) -> CoverageChanged:
        return CoverageChanged(
            coverage_id="cov_9", patient_id="pat_9", practice_id=PRACTICE, payer_id="pay_summit", rank=2, status=status
        )

    await desk.api.deliver(coverage("ended"), sequence=3)
    await desk.api.deliver(coverage("active"), sequence=2)
    async with desk.api.worker.transaction(desk.api.tenant) as tx:
        (known,) = await store.known_by(tx, "coverage", "pat_9")
    assert known["status"] == "ended"


async def test_news_that_come_while_a_session_is_being_taken_in_reach_its_claim(desk: Desk) -> None:
    npi = "1679576722"
    sent = EncounterIn.model_validate(
        an_encounter(providers={"rendering": {"npi": npi}}, documentation={"signer_npi": npi})
    )
    person = ProviderIdentity(npi=npi, first_name="Bea", last_name="Lund", taxonomy="1041C0700X")
    news = ProviderChanged(provider_id="prv_9", practice_ids=[PRACTICE], status="active", level="master", sealed=person)
    async with asyncio.TaskGroup() as both, desk.api.worker.transaction(desk.api.tenant) as tx:
        taken = await intake.receive(tx, sent)
        telling = both.create_task(desk.api.deliver(news))
        await asyncio.wait([telling], timeout=0.5)
    await desk.api.run_due()
    encounter = await desk.api.get(f"/v1/encounters/{taken.encounter_id}")
    assert (await desk.claim(encounter))["reasons"] == ["eligibility"]


async def test_an_enrollment_that_ends_while_its_claim_is_sent_there_stops_the_claim(desk: Desk) -> None:
    """Eligibility says that another payer administers it: until that has committed, no news of it finds the claim."""
    await desk.enroll("pay_summit")
    encounter = await desk.send(an_encounter())
    answer = EligibilityChecked(
        encounter_id=encounter["id"],
        check_id="elg_1",
        patient_id=encounter["patient_id"],
        practice_id=PRACTICE,
        coverage_id="cov_1",
        payer_id="pay_harborbh",
        bill_payer_id="pay_summit",
        outcome="active",
        authorization="not_required",
        sealed=CheckedIdentity(member_id="HB123", group_number="G9"),
    )
    await desk.api.deliver(answer)
    async with asyncio.TaskGroup() as both, desk.api.worker.transaction(desk.api.tenant) as tx:
        await timers.clear(tx, learn.SCRUB, encounter["claims"][0])
        assert (await scrub.run(tx, encounter["claims"][0])).status == "ready"
        ending = both.create_task(desk.enroll("pay_summit", since=date(2026, 10, 6)))
        await asyncio.wait([ending], timeout=0.5)
    await desk.api.run_due()
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["reasons"]) == ("waiting", ["enrollment"])
