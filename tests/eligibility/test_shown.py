"""A check as a caller sees it."""

from tests.calls import Api
from tests.eligibility.payers import Payers
from tests.eligibility.visits import a_visit, checked, hold

EVERYTHING = (
    "EB*1*IND*30^MH*PR*PPO GOLD",
    "EB*B*IND*MH***27*25****U*Y",
    "EB*C*IND*30***23*1500*****Y",
    "EB*C*IND*30***29*420*****Y",
    "EB*C*FAM*30***23*3000*****Y",
    "EB*C*FAM*30***29*1900*****Y",
    "EB*G*IND*30***23*5000*****Y",
    "EB*G*IND*30***29*3100*****Y",
    "EB*F*IND*MH***23***VS*60*N*Y",
    "EB*F*IND*MH***29***VS*44*N*Y",
)


async def test_benefits_in_the_shape_of_the_conventions(api: Api, payers: Payers) -> None:
    payers.says["HRBBH"] = EVERYTHING
    visit = a_visit(api)
    await hold(api, visit)
    found = await api.get(f"/v1/eligibility-checks/{(await checked(api, visit)).check_id}")
    assert found["coverage"] == {
        "active": True,
        "plan": "PPO GOLD",
        "group": None,
        "effective": "2026-01-01",
        "termination": None,
        "network": "in",
    }
    [benefit] = found["benefits"]
    assert benefit["deductible"] == {
        "applies": False,
        "individual": {"total_cents": 150_000, "remaining_cents": 42_000},
        "family": {"total_cents": 300_000, "remaining_cents": 190_000},
    }
    assert benefit["oop_max"]["individual"] == {"total_cents": 500_000, "remaining_cents": 310_000}
    assert benefit["limits"] == [{"kind": "visits", "period": "23", "total": 60, "remaining": 44}]
    assert benefit["authorization"] == [{"code": "90834", "required": "unknown", "source": "EB11=U"}]
    assert found["estimate"]["patient_cents"] == 2_500
    assert found["estimate"]["range_cents"] == [2_500, 2_500]
    assert any("not applied" in step for step in found["estimate"]["explain"])


async def test_a_refusal_says_whose_it_is(api: Api, payers: Payers) -> None:
    payers.refuses["HRBBH"] = ["72"]
    visit = a_visit(api)
    await hold(api, visit)
    found = await api.get(f"/v1/eligibility-checks/{(await checked(api, visit)).check_id}")
    assert found["errors"] == [
        {
            "aaa": "72",
            "field": "member_id",
            "owner": "front_desk",
            "retryable": False,
            "suggestion": "Check the card: member id.",
        }
    ]
    assert (found["benefits"], found["estimate"], found["valid_until"]) == ([], None, None)
