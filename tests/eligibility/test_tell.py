"""eligibility.checked is told when what it says has changed, and only then."""

from libs.common.events.eligibility import EligibilityChecked
from tests.calls import Api
from tests.eligibility.visits import a_claim, a_visit, hold


async def test_news_that_change_nothing_are_not_told(api: Api) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    for attempts, status in ((0, "ready"), (1, "submitted"), (1, "accepted"), (1, "paid")):
        await api.deliver(a_claim(visit, attempts=attempts, status=status))
    assert [event.sequence for event in await api.envelopes(EligibilityChecked)] == [1]


async def test_nothing_is_told_before_the_payer_has_answered(api: Api) -> None:
    visit = a_visit(api)
    await api.deliver(visit)
    await api.deliver(a_claim(visit, status="void"))
    assert await api.told(EligibilityChecked) == []


async def test_no_identity_stands_in_the_open(api: Api) -> None:
    await hold(api, a_visit(api))
    [told] = await api.told(EligibilityChecked)
    open_part = told.model_dump_json(exclude={"sealed"})
    assert not any(word in open_part for word in ("Rivera", "RIVERA", "HB100200300", "1990"))
