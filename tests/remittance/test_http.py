"""The API as callers meet it: scopes, tenants, practices, queues in pages, and answers in the agreed shape."""

from typing import Any

import pytest

from libs import x12
from tests.remittance.payers import NPI, PAID, Books, Sent, an_835, answer, line, taken_back


def paid(pcn: str = "P1") -> x12.ClaimPayment:
    return answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"))


async def test_a_remittance_answers_in_full(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [era] = await books.receive(an_835(paid(), plb=[("WO", "OLD", 500)]))
    found = await books.remittance(era)
    assert found["balance_check"] == {
        "sum_clp_cents": 9300, "sum_plb_cents": 500, "difference_cents": 0, "ok": True,
    }  # fmt: skip
    [said] = found["claims"]
    assert said["matched_claim_id"] == claim.claim_id
    assert said["lines"] == [
        {
            "line_ref": "P1L1", "code": "90834", "modifiers": ["95"], "charge_cents": 13500, "paid_cents": 9300,
            "allowed_cents": None, "rarcs": [],
            "adjustments": [
                {"group": "CO", "carc": "45", "amount_cents": 1700},
                {"group": "PR", "carc": "3", "amount_cents": 2500},
            ],
        }
    ]  # fmt: skip
    assert (said["result"], said["outcome"], found["unposted"]) == ("posted", "paid", [])


async def test_queues_come_in_pages_by_status(books: Books) -> None:
    for n in range(3):
        await books.receive(an_835(paid(f"P{n}"), trace=f"E{n}", amount=1 if n else None))
    page = await books.api.get("/v1/remittances?status=needs_decision&limit=1")
    assert (len(page["data"]), page["page"]["has_more"]) == (1, True)
    rest = await books.api.get(f"/v1/remittances?status=needs_decision&cursor={page['page']['next_cursor']}")
    assert [page["data"][0]["trace"], *(one["trace"] for one in rest["data"])] == ["E1", "E2"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/remittances/era_none", "/v1/remittances/era_none/x12", "/v1/ledger/claims/clm_none",
        "/v1/patients/pat_none/balance", "/v1/deposits/dep_none",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_not_found(books: Books, path: Any) -> None:
    assert (await books.api.call("GET", path)).status_code == 404


async def test_another_tenant_sees_nothing(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [era] = await books.receive(an_835(paid()))
    other = books.api.token(tenant_id="tnt_other")
    for path in (f"/v1/remittances/{era}", f"/v1/ledger/claims/{claim.claim_id}"):
        assert (await books.api.call("GET", path, token=other)).status_code == 404
    totals = (await books.api.call("GET", "/v1/ledger/totals", token=other)).json()
    assert (totals["billed_cents"], totals["era_received_cents"]) == (0, 0)


async def test_somebody_limited_to_another_practice_sees_nothing_of_this_one(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [era] = await books.receive(an_835(paid()))
    for practices, status in (([books.practice_id], 200), (["prc_other"], 404)):
        token = books.api.token(practice_ids=practices)
        assert (await books.api.call("GET", f"/v1/remittances/{era}", token=token)).status_code == status
        path = f"/v1/ledger/claims/{claim.claim_id}"
        assert (await books.api.call("GET", path, token=token)).status_code == status


async def test_a_reader_cannot_post_money(books: Books) -> None:
    reader = books.api.token(scopes=["remittance:read"])
    body = {"trace": "T1", "amount_cents": 1, "deposited_on": "2026-10-20"}
    assert (await books.api.call("POST", "/v1/deposits", body, token=reader)).status_code == 403


async def test_money_is_whole_cents_above_zero(books: Books) -> None:
    body = {"trace": "T1", "amount_cents": 0, "deposited_on": "2026-10-20"}
    refused = await books.api.call("POST", "/v1/deposits", body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/amount_cents")


async def test_who_may_see_one_practice_reads_no_file_that_brings_anothers_money(books: Books) -> None:
    ours = an_835(answer("P1", line(13500, 9300, *PAID)), trace="EFT1")
    others = an_835(answer("P2", line(13500, 9300, *PAID)), trace="EFT2").replace(NPI.encode(), b"1999999992")
    [alone] = await books.receive(ours)
    again = an_835(answer("P3", line(13500, 9300, *PAID)), trace="EFT3")
    shared, nobodys = await books.receive(again + others)
    limited = books.api.token(practice_ids=[books.practice_id])
    for era, status in ((alone, 200), (shared, 404), (nobodys, 404)):
        file = await books.api.call("GET", f"/v1/remittances/{era}/x12", token=limited)
        assert file.status_code == status
        assert (await books.api.call("GET", f"/v1/remittances/{era}/x12")).status_code == 200

    listed = (await books.api.call("GET", "/v1/remittances", token=limited)).json()["data"]
    assert {one["id"] for one in listed} == {alone, shared}
    assert (await books.api.call("GET", f"/v1/remittances/{nobodys}", token=limited)).status_code == 404
    waiting = (await books.api.call("GET", "/v1/unposted", token=limited)).json()["data"]
    assert {one["clp01"] for one in waiting} == {"P1", "P3"}

    decided = await books.api.call(
        "POST", f"/v1/remittances/{nobodys}/decisions", {"decision": "refuse", "reason": "not ours"}, token=limited
    )
    waiting = (await books.api.call("GET", "/v1/unposted")).json()["data"]
    [strangers] = [one["id"] for one in waiting if one["clp01"] == "P2"]
    dismissed = await books.api.call(
        "POST", f"/v1/unposted/{strangers}/dismissals", {"reason": "not ours"}, token=limited
    )
    named = await books.api.call("POST", f"/v1/unposted/{strangers}/match", {"claim_id": "clm_1"}, token=limited)
    assert [answer.status_code for answer in (decided, dismissed, named)] == [404, 404, 404]
    assert (await books.api.call("GET", "/v1/unposted")).json()["data"] == waiting


async def test_who_may_see_one_practice_brings_and_decides_nothing_of_others(books: Books) -> None:
    """Neither a remittance for somebody else, nor a deposit, nor how all practices read a code."""
    limited = books.api.token(practice_ids=[books.practice_id])
    theirs = an_835(answer("P1", line(13500, 9300, *PAID))).replace(NPI.encode(), b"1999999992")
    deposit = {"trace": "EFT1", "amount_cents": 9300, "deposited_on": "2026-10-21"}
    reading = {
        "group": "CO", "reason": "Z9", "adjusts": "contractual", "effective_from": "2026-01-01", "why": "so they say",
    }  # fmt: skip
    for refused in (
        await books.upload(theirs, token=limited),
        await books.api.call("POST", "/v1/deposits", deposit, token=limited),
        await books.api.call("POST", "/v1/adjustment-readings", reading, token=limited),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "practice_forbidden")
    assert (await books.upload(an_835(answer("P1", line(13500, 9300, *PAID))), token=limited)).status_code == 201


async def test_who_may_see_one_practice_reads_no_others_money_in_the_totals(books: Books) -> None:
    """A deposit is everybody's until it is tied, then its practice's; what nobody knows is for who may see all."""
    ours = an_835(answer("P1", line(13500, 9300, *PAID)), trace="EFT1")
    others = an_835(answer("P2", line(13500, 8800, *PAID)), trace="EFT2").replace(NPI.encode(), b"1999999992")
    await books.receive(ours)
    await books.receive(others)
    for trace, cents in (("EFT1", 9300), ("EFT2", 8800), ("EFT3", 7000)):
        body = {"trace": trace, "amount_cents": cents, "deposited_on": "2026-10-21"}
        await books.api.post("/v1/deposits", body)
    seen = {}
    for who, token in (("all", books.api.token()), ("one", books.api.token(practice_ids=[books.practice_id]))):
        totals = await books.api.get("/v1/ledger/totals", token=token)
        names = ("era_received", "payer_cash", "unmatched_deposits", "era_clearing", "era_identity_difference")
        seen[who] = [totals[f"{name}_cents"] for name in (*names, "ledger_imbalance")]
    assert seen == {"all": [18_100, 25_100, 7_000, 0, 0, 0], "one": [9_300, 16_300, 7_000, 0, 0, 0]}


async def test_what_who_may_see_one_practice_brings_is_posted_on_its_claims_only(books: Books) -> None:
    """Whatever control numbers it names, and whenever those become known; who may see all says otherwise, by hand."""
    limited, beside = books.api.token(practice_ids=[books.practice_id]), Books(books.api)
    ours, theirs = await books.send(Sent("P1")), await beside.send(Sent("P2"))
    said = [answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"), icn=f"I{pcn}") for pcn in ("P1", "P2", "P3")]
    assert (await books.upload(an_835(*said), token=limited)).status_code == 201
    await books.api.run_due()
    later = await beside.send(Sent("P3"))
    assert (await books.stands(ours))["payer_paid"] == 9300
    assert {one["clp01"]: one["reason"] for one in await books.waiting()} == {"P2": "unmatched", "P3": "unmatched"}
    for claim in (theirs, later):
        assert "payer_paid" not in await books.stands(claim)

    [waits] = [one["id"] for one in await books.waiting() if one["clp01"] == "P2"]
    path, named = f"/v1/unposted/{waits}/match", {"claim_id": theirs.claim_id}
    assert (await books.api.call("POST", path, named, token=limited)).status_code == 422
    await books.api.post(path, named)
    assert (await books.stands(theirs))["payer_paid"] == 9300

    back = an_835(taken_back(said[1]), answer("P4", line(13500, 9300, *PAID)), trace="EFT2")
    assert (await books.upload(back, token=limited)).status_code == 201
    await books.api.run_due()
    assert (await books.stands(theirs))["payer_paid"] == 9300
    assert "reversal_unmatched" in {one["reason"] for one in await books.waiting()}
