"""A clearinghouse for tests of services: the same HTTP, played in memory, with faults on demand.

fake = FakeClearinghouse()
work = Work(http=fake.client(), …)          # what a service's timers use
fake.account                                 # what its clearinghouse account has to be set to
fake.deliver("277CA", b"ISA…")               # something waits in the mailbox
fake.answer = lambda x12: b"ISA…"            # what the payer says to a 270
fake.next_fault = "lost_answer"              # the next file is taken, and nobody hears of it
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import httpx

from libs.common.clearinghouse import Account, HttpClearinghouse

Fault = Literal["lost_request", "lost_answer", "time_out", "unreachable", "error", "unavailable", "refuse"]
_BASE = "/clearinghouse/v1"
_ACCOUNT = Account(
    submitter_id="PARITY01", receiver_id="SANDBOXCH", url="http://clearinghouse.test", api_key="key-of-parity"
)
_LONG_AGO = datetime(2026, 10, 1, 18, tzinfo=UTC)


@dataclass(slots=True)
class FakeFile:
    file_id: str
    sender: str
    control_number: str
    x12: bytes
    received_at: datetime


@dataclass(slots=True)
class FakeMail:
    id: str
    kind: str
    x12: bytes
    created_at: datetime
    confirmed: bool = False


def _refuse_all(_: bytes) -> bytes:
    raise LookupError("this test gave the fake no answer to real-time questions")


@dataclass(slots=True)
class FakeClearinghouse:
    """One account's clearinghouse in memory."""

    account: Account = _ACCOUNT
    files: list[FakeFile] = field(default_factory=list)
    mail: list[FakeMail] = field(default_factory=list)
    questions: list[bytes] = field(default_factory=list)
    answer: Callable[[bytes], bytes] = _refuse_all
    next_fault: Fault | None = None

    def client(self) -> httpx.AsyncClient:
        """A client whose every request comes here; to be closed by whoever asked for it."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._handle))

    def adapter(self, client: httpx.AsyncClient) -> HttpClearinghouse:
        return HttpClearinghouse(client, self.account, local=True)

    def deliver(self, kind: str, x12: bytes) -> str:
        """The mailbox has one item more; returns its id."""
        number = len(self.mail) + 1
        self.mail.append(FakeMail(f"mail_{number}", kind, x12, _LONG_AGO + timedelta(minutes=number)))
        return self.mail[-1].id

    def _handle(self, request: httpx.Request) -> httpx.Response:
        fault, self.next_fault = self.next_fault, None
        if fault in _BEFORE:
            raise _BEFORE[fault]("a fault on demand", request=request)
        if fault in _INSTEAD:
            return httpx.Response(_INSTEAD[fault], text="a fault on demand", headers={"Retry-After": "7"})
        answer = self._answer(request)
        if fault in ("lost_answer", "time_out"):
            kind = httpx.ReadTimeout if fault == "time_out" else httpx.RemoteProtocolError
            raise kind("a fault on demand", request=request)
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("Authorization") != f"Bearer {self.account.api_key}":
            return httpx.Response(401, text="no such key")
        path = request.url.path.removeprefix(_BASE)
        match (request.method, path.strip("/").split("/")):
            case ("POST", ["realtime"]):
                self.questions.append(request.content)
                return httpx.Response(200, content=self.answer(request.content))
            case ("POST", ["files"]):
                return self._take(request.content)
            case ("GET", ["files"]):
                wanted = (request.url.params["sender"], request.url.params["control_number"])
                found = [_described(file) for file in self.files if (file.sender, file.control_number) == wanted]
                return httpx.Response(200, json={"data": found})
            case ("GET", ["mailbox"]):
                return self._list(request.url.params.get_list("kind"))
            case ("GET", ["mailbox", item_id]):
                return self._one(item_id, confirm=False)
            case ("POST", ["mailbox", item_id, "confirm"]):
                return self._one(item_id, confirm=True)
            case _:
                return httpx.Response(404, text="no such path")

    def _take(self, x12: bytes) -> httpx.Response:
        if not x12.startswith(b"ISA") or len(x12) < 106:
            return httpx.Response(422, text="the file does not begin with an interchange header")
        separator = x12[3:4]
        elements = x12[:106].split(separator)
        sender, number = elements[6].decode().strip(), elements[13].decode()
        for file in self.files:
            if (file.sender, file.control_number) == (sender, number):
                return (
                    httpx.Response(202, json=_described(file)) if file.x12 == x12 else httpx.Response(409, text="used")
                )
        count = len(self.files) + 1
        self.files.append(FakeFile(f"file_{count}", sender, number, x12, _LONG_AGO + timedelta(minutes=count)))
        if elements[14] == b"1":
            self.deliver("TA1", b"ISA*TA1 for " + number.encode())
        return httpx.Response(202, json=_described(self.files[-1]))

    def _list(self, kinds: list[str]) -> httpx.Response:
        waiting = [item for item in self.mail if not item.confirmed and (not kinds or item.kind in kinds)]
        data = [{"id": i.id, "kind": i.kind, "created_at": i.created_at.isoformat()} for i in waiting]
        return httpx.Response(200, json={"data": data})

    def _one(self, item_id: str, *, confirm: bool) -> httpx.Response:
        found = next((item for item in self.mail if item.id == item_id), None)
        if found is None:
            return httpx.Response(404, text="no such item")
        if confirm:
            found.confirmed = True
            return httpx.Response(204)
        return httpx.Response(200, content=found.x12)


def _described(file: FakeFile) -> dict[str, str]:
    return {
        "file_id": file.file_id,
        "sender": file.sender,
        "control_number": file.control_number,
        "received_at": file.received_at.isoformat(),
    }


_BEFORE: dict[Fault | None, type[httpx.RequestError]] = {
    "lost_request": httpx.WriteError,
    "unreachable": httpx.ConnectError,
}
_INSTEAD: dict[Fault | None, int] = {"error": 500, "unavailable": 503, "refuse": 400}
