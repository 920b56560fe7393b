"""The clearinghouse's own API: files in, a mailbox out, real-time eligibility; X12 in both directions."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Annotated

from fastapi import Header, Query
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from libs.common.db import Transaction
from libs.common.http import BULK_BYTES, X12, Conflict, Forbidden, Malformed, NotFound, RawBody, Router, Tx, Unavailable
from libs.common.problems import Unauthorized
from services.sandbox import mailbox, realtime
from services.sandbox.faults import Lateness, lateness_of
from services.sandbox.mailbox import StoredFile
from services.sandbox.receive import receive
from services.sandbox.segments import BrokenEnvelope, read_interchange

MEDIA_TYPE = "application/edi-x12"
router = Router(prefix="/clearinghouse/v1", tags=["clearinghouse"], open_to="anyone", idempotent=False)
Authorization = Annotated[str | None, Header(description="`Bearer` and the account's API key.")]
_X12_ANSWER = {200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}}


class FileView(BaseModel):
    """A file that the clearinghouse has taken."""

    file_id: str
    sender: str
    control_number: str
    received_at: datetime


class FileList(BaseModel):
    data: list[FileView]


class MailView(BaseModel):
    """An answer that waits to be fetched."""

    id: str
    kind: str
    created_at: datetime


class MailList(BaseModel):
    data: list[MailView]


class LateOrLost(Response):
    """An answer that comes late, or of which only the head is sent before the connection ends."""

    def __init__(self, view: FileView, lateness: Lateness) -> None:
        super().__init__(view.model_dump_json(), status_code=202, media_type="application/json")
        self._lateness = lateness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._lateness.seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(_hung_up(receive), self._lateness.seconds)
            await super().__call__(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


async def _hung_up(receive: Receive) -> None:
    """The sender has given up waiting."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def submitter(tx: Transaction, authorization: str | None) -> str:
    """The account behind the API key."""
    key = (authorization or "").removeprefix("Bearer ").strip()
    found = await mailbox.submitter_of(tx, key)
    if found is None:
        raise Unauthorized("The API key is missing or belongs to no account.")
    return found


@router.post(
    "/files",
    status_code=202,
    accepts=X12,
    body_limit_bytes=BULK_BYTES,
    response_model=FileView,
    summary="Send a file of claims",
)
async def send_file(body: RawBody, tx: Tx, authorization: Authorization = None) -> Response | FileView:
    """The file is kept, then answered through the mailbox; sending the same bytes again changes nothing."""
    who = await submitter(tx, authorization)
    try:
        interchange = read_interchange(body)
        sender, number = interchange.sender, interchange.control_number
    except BrokenEnvelope as broken:
        if broken.isa is None:
            raise Malformed("The body does not begin with a readable ISA segment.", code="no_interchange") from None
        sender, number = broken.isa[6].strip(), broken.isa[13]
    if sender != who:
        raise Forbidden("ISA06 names another submitter than this account's.", code="sender_mismatch")
    await tx.set_tenant("sandbox")
    file = await receive(tx, who, number, body)
    lateness = await lateness_of(tx, file, body)
    return LateOrLost(_view(file), lateness) if lateness else _view(file)


@router.get("/files", summary="Find a file by its control number")
async def find_file(
    sender: Annotated[str, Query(max_length=15)],
    control_number: Annotated[str, Query(max_length=9)],
    tx: Tx,
    authorization: Authorization = None,
) -> FileList:
    """The file if it has ever arrived, else an empty list: then it may be sent again."""
    who = await submitter(tx, authorization)
    if sender != who:
        return FileList(data=[])
    files = await mailbox.find_files(tx, who, control_number.zfill(9))
    return FileList(data=[_view(file) for file in files])


@router.get("/mailbox", summary="List the answers that wait")
async def list_mail(
    tx: Tx,
    kind: Annotated[list[str], Query(description="TA1, 999, 277CA, 835; all when absent.")] = [],  # noqa: B006
    authorization: Authorization = None,
) -> MailList:
    """What is released by the clock and not confirmed, oldest first, 500 at most."""
    rows = await mailbox.mail(tx, await submitter(tx, authorization), kind)
    return MailList(data=[MailView(id=row["id"], kind=row["kind"], created_at=row["release_at"]) for row in rows])


@router.get("/mailbox/{mail_id}", summary="Fetch an answer", response_class=Response, responses=_X12_ANSWER)
async def fetch_mail(mail_id: str, tx: Tx, authorization: Authorization = None) -> Response:
    """The answer's bytes."""
    body = await mailbox.fetch(tx, await submitter(tx, authorization), mail_id)
    if body is None:
        raise NotFound
    return Response(body, media_type=MEDIA_TYPE)


@router.post("/mailbox/{mail_id}/confirm", status_code=204, summary="Confirm an answer")
async def confirm_mail(mail_id: str, tx: Tx, authorization: Authorization = None) -> None:
    """The answer is safe with the submitter, and listed no more."""
    if not await mailbox.confirm(tx, await submitter(tx, authorization), mail_id):
        raise NotFound


@router.post(
    "/realtime",
    accepts=X12,
    response_class=Response,
    responses=_X12_ANSWER,
    summary="Ask about eligibility",
)
async def ask(body: RawBody, tx: Tx, authorization: Authorization = None) -> Response:
    """A 270 is answered at once: by a 271, by a 999 where it cannot be read, by a TA1 where its envelope is broken."""
    who = await submitter(tx, authorization)
    try:
        answer = await realtime.answer(tx, who, body)
    except BrokenEnvelope:
        raise Malformed("The body does not begin with a readable ISA segment.", code="no_interchange") from None
    except realtime.PayerDown:
        raise Unavailable("The payer does not answer.", code="payer_down", retry_after_seconds=900) from None
    except realtime.NotRealTime:
        raise Conflict("not_real_time", "Only eligibility is asked in real time; send claims as files.") from None
    return Response(answer, media_type=MEDIA_TYPE)


def _view(file: StoredFile) -> FileView:
    return FileView(
        file_id=file.id,
        sender=file.submitter_id,
        control_number=file.control_number,
        received_at=file.received_at,
    )
