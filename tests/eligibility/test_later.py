"""A second coverage is asked about as well, once a month, and its end is the front desk's to know before a denial."""

from datetime import date
from typing import Any

from libs.common.events.claims import EncounterCreated
from libs.common.events.eligibility import CoverageChanged
from tests.calls import Api
from tests.eligibility.payers import ACTIVE, CARVED_OUT, COPAY, Payers
from tests.eligibility.visits import a_coverage, a_visit, checked, hold


def with_second(api: Api, external_id: str = "ehr-1", payer: str = "pay_summit", **changes: Any) -> EncounterCreated:
    second = a_coverage(rank=2, payer_id=payer, member_id="S777", may_be_asked=changes.pop("may_be_asked", True))
    return a_visit(api, external_id, coverages=[a_coverage(), second], **changes)


async def test_both_payers_are_asked_and_the_claim_still_goes_to_the_first(api: Api, payers: Payers) -> None:
    visit = with_second(api)
    await hold(api, visit)
    assert sorted(payers.asked_payers) == ["HRBBH", "SUMMT"]
    assert (await checked(api, visit)).bill_payer_id == "pay_harborbh"
    found = await api.get(f"/v1/eligibility-checks?encounter_id={visit.encounter_id}")
    assert sorted((one["payer"]["id"], one["outcome"]) for one in found["data"]) == [
        ("pay_harborbh", "active"),
        ("pay_summit", "active"),
    ]
    assert await api.tasks() == []


async def test_the_second_payer_is_asked_once_a_month(api: Api, payers: Payers) -> None:
    await hold(api, with_second(api))
    await hold(api, with_second(api, "ehr-2", service_date=date(2026, 10, 31)))
    assert payers.asked_payers.count("SUMMT") == 1
    await hold(api, with_second(api, "ehr-3", service_date=date(2026, 11, 1)))
    assert payers.asked_payers.count("SUMMT") == 2


async def test_a_second_plan_that_has_ended_is_one_task_until_it_holds_again(api: Api, payers: Payers) -> None:
    payers.says["SUMMT"] = ("EB*6*IND*30",)
    visit = with_second(api)
    await hold(api, visit, with_second(api, "ehr-2", service_date=date(2026, 10, 6)))
    assert (await checked(api, visit)).outcome == "active", "the first payer's answer stands"
    [task] = await api.tasks()
    assert (task["reason"], task["owner"], task["subject_type"]) == (
        "later_coverage_inactive",
        "front_desk",
        "coverage",
    )
    payers.says["SUMMT"] = (ACTIVE, COPAY)
    await hold(api, with_second(api, "ehr-3", service_date=date(2026, 10, 7)))
    assert await api.tasks() == []


async def test_a_second_payer_that_does_not_know_the_member_is_one_task(api: Api, payers: Payers) -> None:
    payers.refuses["SUMMT"] = ["75", "75"]
    await hold(api, with_second(api), with_second(api, "ehr-2", service_date=date(2026, 10, 6)))
    [task] = await api.tasks()
    assert (task["reason"], task["owner"]) == ("later_coverage_refused", "front_desk")


async def test_where_the_second_plan_leaves_mental_health_is_told_with_the_coverage(api: Api, payers: Payers) -> None:
    payers.says["MRDN1"] = CARVED_OUT
    await hold(api, with_second(api, payer="pay_meridian"))
    assert sorted(payers.asked_payers) == ["HRBBH", "HRBBH", "MRDN1"]
    told = [one for one in await api.told(CoverageChanged) if one.rank == 2]
    assert [one.bill_payer_id for one in told] == [None, "pay_harborbh"]


async def test_a_payer_that_may_not_learn_of_the_session_is_not_asked(api: Api, payers: Payers) -> None:
    await hold(api, with_second(api, may_be_asked=False))
    assert payers.asked_payers == ["HRBBH"]
