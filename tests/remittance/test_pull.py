"""The morning's mailbox: fetched, stored, confirmed, once each, whatever breaks in between."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from libs import x12
from services.remittance.app import create_service
from tests.calls import NOON
from tests.conftest import TestDatabase
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line, open_books


@dataclass(slots=True)
class Mailbox:
    """A clearinghouse whose mailbox holds what a test puts into it."""

    items: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    refuses_to_confirm: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer secret"
        path = request.url.path.removeprefix("/clearinghouse/v1/mailbox").strip("/")
        if request.method == "GET" and not path:
            assert request.url.params.get_list("kind") == ["835"]
            listed = [{"id": id, "kind": "835", "created_at": NOON.isoformat()} for id in self.items]
            return httpx.Response(200, json={"data": listed})
        if request.method == "GET":
            self.fetched.append(path)
            return httpx.Response(200, content=self.items[path])
        if self.refuses_to_confirm:
            return httpx.Response(503)
        self.items.pop(path.removesuffix("/confirm"), None)
        return httpx.Response(204)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
async def books(module_database: TestDatabase, tmp_path: Path, mailbox: Mailbox) -> AsyncIterator[Books]:
    outside = httpx.MockTransport(mailbox)
    async with open_books(create_service(), module_database, tmp_path, outside) as found:
        await clearinghouse_is(found)
        yield found


async def clearinghouse_is(books: Books, time_zone: str = "UTC") -> None:
    account = {"submitter_id": "PARITY01", "receiver_id": "CLRNGHSE", "url": "http://ch.test", "api_key": "secret"}
    answer = await books.api.call("PUT", "/v1/clearinghouse-account", account | {"time_zone": time_zone})
    assert answer.is_success, answer.text


def paid(pcn: str) -> x12.ClaimPayment:
    return answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"), icn=f"I{pcn}")


async def morning(books: Books, day: int) -> None:
    await books.api.set_clock(datetime(2026, 10, day, 6, tzinfo=UTC))
    await books.api.run_due()


async def test_remittances_are_pulled_every_morning(books: Books, mailbox: Mailbox) -> None:
    claim, later = await books.send(Sent("P1")), await books.send(Sent("P2"))
    mailbox.items["m1"] = an_835(paid("P1"))
    await books.api.run_due()
    assert (await books.stands(claim)) == {"in_flight": 13500}

    await morning(books, 6)
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert mailbox.items == {}

    mailbox.items["m2"] = an_835(paid("P2"), trace="EFT2")
    await morning(books, 7)
    assert (await books.stands(later))["payer_paid"] == 9300


async def test_a_crash_between_storing_and_confirming_takes_nothing_twice(books: Books, mailbox: Mailbox) -> None:
    claim = await books.send(Sent("P1"))
    mailbox.items["m1"] = an_835(paid("P1"))
    mailbox.refuses_to_confirm = True
    with pytest.raises(Exception, match="answered 503"):
        await morning(books, 6)
    mailbox.refuses_to_confirm = False
    await books.api.run_due()
    assert mailbox.fetched == ["m1", "m1"]
    assert (await books.stands(claim))["payer_paid"] == 9300
    await books.totals()


async def test_a_file_that_cannot_be_read_is_kept_for_a_person_and_does_not_block_the_others(
    books: Books, mailbox: Mailbox
) -> None:
    claim = await books.send(Sent("P1"))
    mailbox.items |= {"m1": b"not an 835", "m2": an_835(paid("P1"))}
    await morning(books, 6)
    assert mailbox.items == {}
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert await books.reasons() == ["era_unreadable"]


async def test_a_test_in_the_mailbox_of_an_account_that_is_not_for_tests_waits_for_a_person(
    books: Books, mailbox: Mailbox
) -> None:
    claim = await books.send(Sent("P1"))
    mailbox.items["m1"] = an_835(paid("P1"), usage="T")
    await morning(books, 6)
    assert mailbox.items == {}
    assert await books.stands(claim) == {"in_flight": 13500}
    assert await books.reasons() == ["era_test"]


async def test_the_mailbox_is_emptied_in_the_clearinghouses_own_morning(books: Books, mailbox: Mailbox) -> None:
    await clearinghouse_is(books, "America/New_York")
    claim = await books.send(Sent("P1"))
    mailbox.items["m1"] = an_835(paid("P1"))
    await morning(books, 6)
    assert await books.stands(claim) == {"in_flight": 13500}
    await books.api.set_clock(datetime(2026, 10, 6, 10, tzinfo=UTC))
    await books.api.run_due()
    assert (await books.stands(claim))["payer_paid"] == 9300

    await books.api.set_clock(datetime(2026, 10, 31, 10, tzinfo=UTC))
    await books.api.run_due()
    later = await books.send(Sent("P2"))
    mailbox.items["m2"] = an_835(paid("P2"), trace="EFT2")
    await books.api.set_clock(datetime(2026, 11, 1, 10, tzinfo=UTC))
    await books.api.run_due()
    assert await books.stands(later) == {"in_flight": 13500}, "the clocks went back in the night"
    await books.api.set_clock(datetime(2026, 11, 1, 11, tzinfo=UTC))
    await books.api.run_due()
    assert (await books.stands(later))["payer_paid"] == 9300
