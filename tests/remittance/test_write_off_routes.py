"""Write-offs over the API."""

from tests.remittance.payers import Books
from tests.remittance.test_write_off import PATH, let_go, owing


async def test_write_offs_are_listed_by_patient_and_those_of_nobody_are_not_there(books: Books) -> None:
    first, other = await owing(books, 1), await owing(books, 2)
    await let_go(books, first)
    await let_go(books, other, amount_cents=100)
    assert len((await books.api.get(PATH))["data"]) == 2
    [found] = (await books.api.get(f"{PATH}?patient_id={other.patient_id}"))["data"]
    assert (found["claim_id"], found["amount_cents"], found["reverses"]) == (other.claim_id, 100, None)
    unknown = {"claim_id": "clm_none", "kind": "charity", "why": "nobody knows"}
    assert (await books.api.call("POST", PATH, unknown)).status_code == 404
    assert (await books.api.call("POST", f"{PATH}/pwo_none/reversals", {"why": "nobody"})).status_code == 404
