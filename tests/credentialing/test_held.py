"""What is held for want of an enrollment: claims, cents and the oldest wait."""

import pytest

from libs.common.events.claims import ClaimUpdated
from tests.calls import Api
from tests.credentialing import organisation as org


def a_claim(practice_id: str, provider_id: str, number: int, **changes: object) -> ClaimUpdated:
    values: dict[str, object] = {
        "claim_id": f"clm_{number}",
        "encounter_id": f"enc_{number}",
        "practice_id": practice_id,
        "patient_id": "pat_1",
        "provider_id": provider_id,
        "payer_id": "pay_harborbh",
        "status": "waiting",
        "reasons": ["enrollment_in_progress"],
        "owner": "credentialing",
        "code_family": "psychotherapy",
        "charge_cents": 17_500,
        "clean": True,
        "attempts": 0,
    }
    return ClaimUpdated(**values | changes)


@pytest.fixture
async def practice_id(api: Api) -> str:
    return await org.practice(api)


@pytest.fixture
async def provider_id(api: Api, practice_id: str) -> str:
    return await org.clinician(api, practice_id)


async def test_held_claims_are_counted_on_the_enrollment_and_in_a_task(
    api: Api, practice_id: str, provider_id: str
) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id, status="in_review")
    for number in (1, 2):
        await api.deliver(a_claim(practice_id, provider_id, number))
    held = (await api.get(f"/v1/enrollments/{enrollment_id}"))["revenue_at_risk"]
    assert held == {"claims": 2, "charge_cents": 35_000, "oldest": "2026-10-05"}
    [task] = await api.tasks()
    assert (task["reason"], task["subject_id"], task["amount_cents"]) == (
        "claims_held_for_enrollment", enrollment_id, 35_000,
    )  # fmt: skip


async def test_a_claim_that_goes_on_is_no_longer_held(api: Api, practice_id: str, provider_id: str) -> None:
    enrollment_id = await org.enrollment(api, provider_id, practice_id, status="in_review")
    await api.deliver(a_claim(practice_id, provider_id, 1))
    await api.deliver(a_claim(practice_id, provider_id, 1, status="ready", reasons=[]))
    assert (await api.get(f"/v1/enrollments/{enrollment_id}"))["revenue_at_risk"]["claims"] == 0
    assert await api.tasks() == []


async def test_old_news_of_a_claim_changes_nothing(api: Api, practice_id: str, provider_id: str) -> None:
    await org.enrollment(api, provider_id, practice_id, status="in_review")
    await api.deliver(a_claim(practice_id, provider_id, 1, status="ready", reasons=[]), sequence=5)
    await api.deliver(a_claim(practice_id, provider_id, 1), sequence=4)
    assert await api.tasks() == []


async def test_claims_that_wait_for_something_else_are_not_counted(
    api: Api, practice_id: str, provider_id: str
) -> None:
    await org.enrollment(api, provider_id, practice_id, status="in_review")
    await api.deliver(a_claim(practice_id, provider_id, 1, reasons=["eligibility_pending"]))
    assert await api.tasks() == []


async def test_without_any_enrollment_the_task_is_about_the_clinician(
    api: Api, practice_id: str, provider_id: str
) -> None:
    await api.deliver(a_claim(practice_id, provider_id, 1, reasons=["not_enrolled"]))
    [task] = await api.tasks()
    assert (task["subject_type"], task["subject_id"]) == ("provider", provider_id)
