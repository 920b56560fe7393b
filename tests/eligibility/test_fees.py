"""Fee schedules that the tenant loads make estimates exact."""

from tests.calls import Api
from tests.eligibility.payers import ACTIVE, Payers
from tests.eligibility.visits import a_service, a_visit, checked, hold, practice_of


async def load(api: Api, *fees: tuple[str, int], since: str = "2026-01-01", **more: object) -> None:
    rows = [{"code": code, "allowed_cents": cents} for code, cents in fees]
    body = {"payer_id": "pay_harborbh", "effective_from": since, "fees": rows, **more}
    assert (await api.call("PUT", "/v1/fee-schedules", body)).status_code == 200


async def estimate(api: Api, payers: Payers, external_id: str = "ehr-1", **changes: object) -> int | None:
    payers.says["HRBBH"] = (ACTIVE, "EB*A*IND*MH*****.2****Y")
    visit = a_visit(api, external_id, **changes)
    await hold(api, visit)
    return (await checked(api, visit)).estimate_cents


async def test_without_a_schedule_the_charge_is_the_guide(api: Api, payers: Payers) -> None:
    assert await estimate(api, payers) == 2_275


async def test_the_loaded_fee_is_used(api: Api, payers: Payers) -> None:
    await load(api, ("90834", 10_500))
    assert await estimate(api, payers) == 2_100


async def test_the_schedule_of_the_day_is_used_and_replaced_whole(api: Api, payers: Payers) -> None:
    await load(api, ("90834", 10_000))
    await load(api, ("90834", 20_000), since="2026-11-01")
    assert await estimate(api, payers) == 2_000
    await load(api, ("90837", 15_000))
    assert await estimate(api, payers, "ehr-2") == 2_275


async def test_the_practices_own_fee_goes_before_the_general_one(api: Api, payers: Payers) -> None:
    await load(api, ("90834", 10_000))
    await load(api, ("90834", 12_000), practice_id=practice_of(api))
    assert await estimate(api, payers) == 2_400


async def test_a_fee_with_a_modifier_is_for_lines_that_carry_it(api: Api, payers: Payers) -> None:
    rows = [
        {"code": "90834", "allowed_cents": 10_000},
        {"code": "90834", "modifiers": ["AJ"], "allowed_cents": 7_500},
    ]
    body = {"payer_id": "pay_harborbh", "effective_from": "2026-01-01", "fees": rows}
    await api.call("PUT", "/v1/fee-schedules", body)
    assert await estimate(api, payers, "ehr-1", services=[a_service(modifiers=["AJ", "95"])]) == 1_500
    assert await estimate(api, payers, "ehr-2", services=[a_service(modifiers=["95"])]) == 2_000


async def test_units_multiply_the_fee(api: Api, payers: Payers) -> None:
    await load(api, ("H0004", 2_400))
    assert await estimate(api, payers, services=[a_service("H0004", units=4)]) == 1_920
