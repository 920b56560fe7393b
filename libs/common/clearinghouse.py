"""The clearinghouse, over HTTP: real-time questions, files with their control numbers, and a mailbox to be emptied.

A file's identity is (sender, interchange control number). Whoever does not know whether a file arrived asks `find`
before sending again. Acknowledgements and remittances are pulled: list, fetch, confirm.
"""

import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, Literal, Protocol, TypeVar

import httpx
import sqlalchemy as sa
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlalchemy.dialects import postgresql as pg

from libs.common import outside
from libs.common.clock import zone
from libs.common.db import Row, Transaction
from libs.common.doors import Here
from libs.common.pages import set_etag
from libs.common.problems import Invalid, NotFound
from libs.common.routing import Router, Tx

X12_TYPE: Final = "application/edi-x12"
REALTIME_SECONDS: Final = 30.0
FILE_SECONDS: Final = 60.0


class ClearinghouseError(Exception):
    """The clearinghouse did not do what was asked."""


class ClearinghouseRefused(ClearinghouseError):
    """It answered and refused (4xx): asking the same again is of no use. `text` is its own words, not for logs."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        self.text = text


class OutcomeUnknown(ClearinghouseError):
    """It may or may not have taken what was sent: time-out, connection lost after sending, 5xx."""


class Unreachable(ClearinghouseError):
    """It took nothing: no connection, or it said that it is not available (503, 429)."""

    def __init__(self, reason: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The clearinghouse has the file."""

    file_id: str
    sender: str
    control_number: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MailItem:
    """Something that waits in the mailbox: TA1, 999, 277CA or 835."""

    id: str
    kind: str
    created_at: datetime


class Clearinghouse(Protocol):
    """One account at a clearinghouse. All raise ClearinghouseRefused, Unreachable; what sends, OutcomeUnknown too."""

    async def realtime(self, x12: bytes) -> bytes:
        """The payer's answer to a 270, 276 or 278; a TA1 or 999 where it could not be read."""

    async def send(self, x12: bytes, sender: str, control_number: str) -> Receipt:
        """The file is taken. The same bytes under the same number again: the same receipt."""

    async def find(self, sender: str, control_number: str) -> Receipt | None:
        """The receipt of a file sent before; None: the clearinghouse never saw it."""

    async def mailbox(self, kinds: Iterable[str]) -> list[MailItem]:
        """What of these kinds waits, oldest first."""

    async def fetch(self, id: str) -> bytes:
        """The item's bytes; it stays in the mailbox until confirmed."""

    async def confirm(self, id: str) -> None:
        """The item is ours now and no longer listed; confirming twice is harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A tenant's account at its clearinghouse."""

    submitter_id: str
    receiver_id: str
    url: str
    api_key: str
    time_zone: str = "UTC"
    """Of the hours at which files go out and the mailbox is emptied."""
    receiver_name: str = ""
    test: bool = False
    """Whether what is sent is a test (ISA15), which no payer pays for."""

    @property
    def usage(self) -> Literal["T", "P"]:
        """ISA15 of all that is sent to this account, whichever service sends it."""
        return "T" if self.test else "P"

    def __repr__(self) -> str:
        return f"Account({self.submitter_id!r} at {self.url!r})"


class _File(BaseModel):
    file_id: str
    sender: str
    control_number: str
    received_at: datetime

    def receipt(self) -> Receipt:
        return Receipt(**self.model_dump())


class _Mail(BaseModel):
    id: str
    kind: str
    created_at: datetime


class _Files(BaseModel):
    data: list[_File]


class _Mailbox(BaseModel):
    data: list[_Mail]


class HttpClearinghouse:
    """The account's clearinghouse behind its HTTP interface; the client belongs to the caller.

    It is public when something is sent, wherever its name may lead by then; in local mode it is wherever it is.
    """

    def __init__(
        self, http: httpx.AsyncClient, account: Account, *, local: bool, look: outside.Look = socket.getaddrinfo
    ) -> None:
        self._http = http
        self._local = local
        self._look = look
        self._base = account.url.rstrip("/") + "/clearinghouse/v1"
        self._headers = {"Authorization": f"Bearer {account.api_key}"}

    async def realtime(self, x12: bytes) -> bytes:
        return (await self._post("/realtime", x12, REALTIME_SECONDS)).content

    async def send(self, x12: bytes, sender: str, control_number: str) -> Receipt:
        taken = _read(_File, await self._post("/files", x12, FILE_SECONDS)).receipt()
        if (taken.sender.strip(), taken.control_number.strip()) != (sender.strip(), control_number.strip()):
            raise OutcomeUnknown("the receipt is for another file")
        return taken

    async def find(self, sender: str, control_number: str) -> Receipt | None:
        answer = await self._get("/files", {"sender": sender, "control_number": control_number})
        found = _read(_Files, answer).data
        return found[0].receipt() if found else None

    async def mailbox(self, kinds: Iterable[str]) -> list[MailItem]:
        answer = await self._get("/mailbox", [("kind", kind) for kind in kinds])
        return [MailItem(**item.model_dump()) for item in _read(_Mailbox, answer).data]

    async def fetch(self, id: str) -> bytes:
        return (await self._get(f"/mailbox/{id}")).content

    async def confirm(self, id: str) -> None:
        try:
            await self._post(f"/mailbox/{id}/confirm", b"", REALTIME_SECONDS)
        except ClearinghouseRefused as refused:
            if refused.status not in (404, 409):
                raise

    async def _post(self, path: str, body: bytes, seconds: float) -> httpx.Response:
        headers = {**self._headers, **({"Content-Type": X12_TYPE} if body else {})}
        timeout = httpx.Timeout(seconds, connect=5)
        try:
            return await self._ask("POST", path, content=body, headers=headers, timeout=timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(type(error).__name__) from None

    async def _get(self, path: str, params: Any = None) -> httpx.Response:
        """What only asks has no outcome to be in doubt about."""
        timeout = httpx.Timeout(REALTIME_SECONDS, connect=5)
        try:
            return await self._ask("GET", path, params=params, headers=self._headers, timeout=timeout)
        except (httpx.HTTPError, OutcomeUnknown) as error:
            raise Unreachable(type(error).__name__) from None

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        url = self._base + path
        if self._local:
            request = self._http.build_request(method, url, **options)
        else:
            request = outside.request(self._http, method, await self._target(url), **options)
        return _checked(await self._http.send(request, follow_redirects=False))

    async def _target(self, url: str) -> outside.Target:
        try:
            return await outside.resolve(outside.check_url(url, local=False), local=False, look=self._look)
        except (outside.Forbidden, OSError) as error:  # nothing has been sent
            raise Unreachable(type(error).__name__) from None


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code in (429, 503):
        after = answer.headers.get("retry-after", "")
        raise Unreachable(f"answered {answer.status_code}", int(after) if after.isdigit() else None)
    if answer.status_code >= 500:
        raise OutcomeUnknown(f"answered {answer.status_code}")
    if answer.status_code >= 400:
        raise ClearinghouseRefused(answer.status_code, answer.text[:2000])
    if answer.status_code >= 300:
        raise Unreachable(f"answered {answer.status_code}")
    return answer


M = TypeVar("M", bound=BaseModel)


def _read(model: type[M], answer: httpx.Response) -> M:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError:
        raise OutcomeUnknown("the answer is not what was agreed") from None


account = sa.Table(
    "clearinghouse_account",
    sa.MetaData(),
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("submitter_id", sa.Text),
    sa.Column("receiver_id", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("api_key_sealed", sa.Text),
    sa.Column("time_zone", sa.Text),
    sa.Column("receiver_name", sa.Text),
    sa.Column("test", sa.Boolean),
    sa.Column("version", sa.Integer),
    sa.Column("updated_at", sa.DateTime(timezone=True)),
)
_CONTEXT: Final = "clearinghouse_account"
ZONE: Final = ("clearinghouse_account", "time_zone")
"""Where a transaction keeps the name of the account's time zone, once it has read it."""
_TEST: Final = ("clearinghouse_account", "test")


async def account_of(tx: Transaction) -> Account | None:
    """The tenant's account, or None where it has not been set up."""
    row = await tx.first(sa.select(account))
    if row is None:
        return None
    assert tx.keyring is not None, "keys of accounts are sealed"
    return Account(
        submitter_id=row["submitter_id"],
        receiver_id=row["receiver_id"],
        url=row["url"],
        api_key=tx.keyring.open(tx.tenant, row["api_key_sealed"], _CONTEXT).decode(),
        time_zone=row["time_zone"],
        receiver_name=row["receiver_name"] or "",
        test=row["test"],
    )


async def usage_of(tx: Transaction) -> Literal["T", "P"]:
    """ISA15 of what goes to the tenant's account and comes from it; P before one has been set up."""
    if _TEST not in tx.known:
        tx.known[_TEST] = await tx.scalar(sa.select(account.c.test))
    return "T" if tx.known[_TEST] else "P"


async def zone_of(tx: Transaction) -> tzinfo:
    """Where the tenant's clearinghouse has its day; UTC before an account has been set up."""
    if ZONE not in tx.known:
        tx.known[ZONE] = await tx.scalar(sa.select(account.c.time_zone))
    return zone(tx.known[ZONE] or "UTC")


async def set_account(tx: Transaction, new: Account) -> Row:
    """The tenant's account is this one."""
    assert tx.keyring is not None, "keys of accounts are sealed"
    values = {
        "submitter_id": new.submitter_id,
        "receiver_id": new.receiver_id,
        "url": new.url,
        "api_key_sealed": tx.keyring.seal(tx.tenant, new.api_key.encode(), _CONTEXT),
        "time_zone": new.time_zone,
        "receiver_name": new.receiver_name or None,
        "test": new.test,
        "updated_at": tx.now,
    }
    return await tx.one(
        pg.insert(account)
        .values(tenant_id=tx.tenant, version=1, **values)
        .on_conflict_do_update(index_elements=["tenant_id"], set_={**values, "version": account.c.version + 1})
        .returning(*account.c)
    )


class AccountBody(BaseModel):
    """An account at a clearinghouse."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "submitter_id": "PARITY01",
                    "receiver_id": "SANDBOXCH",
                    "receiver_name": "Sandbox Clearinghouse",
                    "url": "https://clearinghouse.example.org",
                    "api_key": "sk_live_0192f3c4a5b6",
                    "time_zone": "America/Chicago",
                }
            ]
        },
    )

    submitter_id: str = Field(pattern=r"^[A-Za-z0-9]{2,15}$", description="ISA06 of what we send.")
    receiver_id: str = Field(pattern=r"^[A-Za-z0-9]{2,15}$", description="ISA08 of what we send.")
    receiver_name: str = Field(
        "",
        max_length=60,
        pattern=r"^[ -~]*$",
        description="The clearinghouse's name as its companion guide wants it in an 837; its id unless given.",
    )
    url: str = Field(pattern=r"^https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~/-]*)?$", max_length=500)
    api_key: str = Field(min_length=1, max_length=1000, pattern=r"^[!-~]+$")
    time_zone: str = Field(
        "UTC", max_length=64, description="IANA name; the hours of cut, acknowledgements and remittances are local."
    )

    test: bool = Field(
        False, description="Send everything as a test (ISA15 T, not P): claims are checked, and no payer pays them."
    )

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        zone(name)
        return name


class AccountView(BaseModel):
    """An account at a clearinghouse; its key is never shown."""

    submitter_id: str
    receiver_id: str
    receiver_name: str | None
    url: str
    time_zone: str
    test: bool
    version: int
    updated_at: datetime


def routes(service: str, *, configured: Callable[[Transaction], Awaitable[None]] | None = None) -> Router:
    """The tenant's clearinghouse account, in a service that talks to one; `configured` runs when it is set."""
    router = Router(prefix="/v1/clearinghouse-account", tags=["clearinghouse"])

    @router.put("", scope=f"{service}:write")
    async def set_clearinghouse_account(body: AccountBody, tx: Tx, here: Here, response: Response) -> AccountView:
        """From now on this account is used. Its address is public and https, but in local mode."""
        tx.must_reach(None)
        if not here.local and (refused := outside.refusals(body.url, local=False)):
            raise Invalid(refused)  # what goes there names patients, and our key comes with it
        row = await set_account(tx, Account(**body.model_dump()))
        if configured is not None:
            await configured(tx)
        set_etag(response, row["version"])
        return _view(row)

    @router.get("", scope=f"{service}:read")
    async def read_clearinghouse_account(tx: Tx, response: Response) -> AccountView:
        """The account in use, without its key."""
        row = await tx.first(sa.select(account))
        if row is None:
            raise NotFound("No clearinghouse account has been set up.")
        set_etag(response, row["version"])
        return _view(row)

    return router


def _view(row: Row) -> AccountView:
    fields: dict[str, Any] = {name: row[name] for name in AccountView.model_fields}
    return AccountView(**fields)
