"""The test clock."""

import pytest

from tests.sandbox.conftest import Sandbox


async def test_the_clock_stands_still_until_it_is_moved(stage: Sandbox) -> None:
    for _ in range(2):
        assert await stage.get("/v1/clock") == {"now": "2026-10-05T18:00:00Z", "frozen": True}
    moved = await stage.post("/v1/clock/advance", {"days": 1, "hours": 4, "minutes": 5}, status=200)
    assert moved["now"] == "2026-10-06T22:05:00Z"
    moved = await stage.post("/v1/clock/advance", {"to": "2026-10-07T04:00:00Z"}, status=200)
    assert moved["now"] == "2026-10-07T04:00:00Z"


async def test_the_clock_never_goes_back(stage: Sandbox) -> None:
    answer = await stage.post("/v1/clock/set", {"at": "2026-10-05T17:59:59Z"}, status=409)
    assert answer["code"] == "clock_goes_back"


@pytest.mark.parametrize(
    "body", [{}, {"days": 0}, {"days": -1}, {"days": 1, "to": "2026-11-01T00:00:00Z"}, {"to": "2026-11-01"}]
)
async def test_a_step_that_is_not_clear_is_refused(stage: Sandbox, body: dict[str, object]) -> None:
    answer = await stage.post("/v1/clock/advance", body, status=422)
    assert answer["code"] == "validation_failed"
