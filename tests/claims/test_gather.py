"""What a claim's 837P is made of."""

from services.claims import gather, store
from tests.claims.conftest import NPI, Desk, an_encounter


async def test_a_first_payers_claim_names_no_payer_before_it_and_the_member_as_the_payer_answered(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    async with desk.api.worker.transaction(desk.api.tenant) as tx:
        found = await gather.material(tx, await store.load(tx, encounter["claims"][0]))
    assert (found.before, found.provider["npi"], found.payer.id) == ((), NPI, "pay_harborbh")
    assert found.answer is not None
    assert (found.answer["member_id"], found.line_controls) == ("HB123", (f"{found.pcn}L1",))
