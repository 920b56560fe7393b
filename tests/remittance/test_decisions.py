"""Money that nobody could post: a person lets it through, refuses it, or names the claim."""

from typing import Any

from libs import x12
from libs.common.events import EraReceived
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line


def paid(pcn: str = "P1", **more: Any) -> x12.ClaimPayment:
    return answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"), **more)


async def decide(books: Books, era: str, decision: str) -> Any:
    body = {"decision": decision, "reason": "the payer confirms by phone"}
    return await books.api.call("POST", f"/v1/remittances/{era}/decisions", body)


async def test_an_unbalanced_remittance_posts_nothing_until_a_person_decides(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [era] = await books.receive(an_835(paid(), amount=9500))
    assert await books.stands(claim) == {"in_flight": 13500}
    found = await books.remittance(era)
    assert (found["status"], found["balance_check"]["difference_cents"]) == ("needs_decision", 200)
    assert (await books.totals())["era_received_cents"] == 0
    [task] = await books.api.tasks()
    assert task["reason"] == "era_unbalanced"
    assert "it differs by 2.00" in task["detail"]
    [told] = await books.api.told(EraReceived)
    assert told.balance == "transaction_unbalanced"

    assert (await decide(books, era, "post")).status_code == 200
    await books.api.run_due()
    assert (await books.stands(claim))["payer_paid"] == 9300
    totals = await books.totals()
    assert (totals["era_clearing_cents"], totals["suspense_cents"]) == (9500, 200)
    assert await books.reasons() == []


async def test_a_refused_remittance_posts_nothing_for_ever(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [era] = await books.receive(an_835(paid(), amount=9500))
    assert (await decide(books, era, "refuse")).json()["status"] == "refused"
    await books.api.run_due()
    assert await books.stands(claim) == {"in_flight": 13500}
    again = await decide(books, era, "post")
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")


async def test_a_corrected_remittance_takes_the_place_of_the_unbalanced_one(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [wrong] = await books.receive(an_835(paid(), amount=9500))
    more = answer("P1", line(13500, 9500, ("CO", "45", 1500), ("PR", "3", 2500), control="P1L1"))
    [right] = await books.receive(an_835(more))
    assert (await books.remittance(wrong))["status"] == "superseded"
    assert (await books.remittance(right))["status"] == "posted"
    assert (await books.stands(claim))["payer_paid"] == 9500
    assert await books.reasons() == []


async def test_a_person_names_the_claim_of_an_answer(books: Books) -> None:
    claim = await books.send(Sent("P1", member_id="W999"))
    await books.receive(an_835(answer("STRANGE", line(13500, 9300, *PAID))))
    [waits] = await books.waiting()
    assert await books.api.post(f"/v1/unposted/{waits['id']}/match", {"claim_id": claim.claim_id}) == {
        "id": waits["id"], "result": "posted",
    }  # fmt: skip
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert await books.waiting() == []
    assert await books.reasons() == []


async def test_a_claim_with_other_lines_cannot_be_named(books: Books) -> None:
    claim = await books.send(Sent("P1", member_id="W999"))
    await books.receive(an_835(answer("STRANGE", line(13500, 9300, *PAID, procedure="H0004"))))
    [waits] = await books.waiting()
    refused = await books.api.call("POST", f"/v1/unposted/{waits['id']}/match", {"claim_id": claim.claim_id})
    assert (refused.status_code, refused.json()["code"]) == (409, "lines_unmatched")
    assert [one["reason"] for one in await books.waiting()] == ["unmatched"]


async def test_naming_a_claim_mends_no_amounts(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, 9300, ("CO", "45", 1)))))
    [waits] = await books.waiting()
    refused = await books.api.call("POST", f"/v1/unposted/{waits['id']}/match", {"claim_id": claim.claim_id})
    assert (refused.status_code, refused.json()["code"]) == (409, "unbalanced")


async def test_what_is_not_there_cannot_be_decided(books: Books) -> None:
    assert (await decide(books, "era_none", "post")).status_code == 404
    refused = await books.api.call("POST", "/v1/unposted/erc_none/match", {"claim_id": "clm_1"})
    assert refused.status_code == 404


async def test_an_answer_about_nothing_of_ours_is_dismissed_with_a_reason(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [era] = await books.receive(an_835(paid("X9", icn="ICN9"), paid()))
    [waits] = await books.waiting()
    path = f"/v1/unposted/{waits['id']}/dismissals"
    assert (await books.api.call("POST", path, {"reason": ""})).status_code == 422
    done = await books.api.post(path, {"reason": "a claim of the practice across the street"})
    assert done == {"id": waits["id"], "result": "dismissed"}

    assert (await books.waiting(), await books.reasons()) == ([], [])
    found = await books.remittance(era)
    assert (found["status"], found["unposted"], found["auto_post_rate"]) == ("posted", [], 1.0)
    totals = await books.totals()
    assert (totals["suspense_cents"], totals["payer_paid_cents"]) == (9300, 9300)
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert (await books.api.call("POST", path, {"reason": "once more"})).status_code == 409
    unknown = await books.api.call("POST", "/v1/unposted/erc_none/dismissals", {"reason": "unknown"})
    assert unknown.status_code == 404


async def test_what_was_dismissed_is_not_posted_when_its_claim_becomes_known(books: Books) -> None:
    await books.receive(an_835(paid("P7")))
    [waits] = await books.waiting()
    await books.api.post(f"/v1/unposted/{waits['id']}/dismissals", {"reason": "not ours, we thought"})
    claim = await books.send(Sent("P7"))
    assert await books.stands(claim) == {"in_flight": 13500}
    await books.totals()
