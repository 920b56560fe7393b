"""What the clearinghouse does wrong, by rate and seed."""

from services.sandbox.faults import _content
from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import Claim, a_270, an_837


def test_what_a_file_says_is_told_apart_from_its_numbers() -> None:
    first = an_837(Claim(pcn="P1"), control=1, batch="B1")
    assert _content(first) == _content(an_837(Claim(pcn="P2"), control=2, batch="B2"))
    assert _content(first) != _content(an_837(Claim(member_id="W2")))


async def test_a_payer_goes_off_the_line_and_comes_back(stage: Sandbox) -> None:
    await stage.post("/v1/faults", {"payers_down": ["pay_harborbh"]}, status=200)
    assert (await stage.ask(a_270())).status_code == 503
    await stage.post("/v1/faults", {}, status=200)
    assert (await stage.ask(a_270())).status_code == 200
