"""The clearinghouse's own tables: submitters, their files, and the mailbox that each of them empties."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from libs.common.db import Row, Transaction
from libs.common.ids import derived_id, new_id
from libs.common.problems import Conflict


async def open_account(tx: Transaction, submitter_id: str) -> str:
    """The submitter's API key; asking again gives the same one."""
    await tx.execute(
        sa.text("insert into account (submitter_id, api_key) values (:s, :k) on conflict do nothing"),
        {"s": submitter_id, "k": f"sbx_{secrets.token_urlsafe(24)}"},
    )
    return str(await tx.scalar(sa.text("select api_key from account where submitter_id = :s"), {"s": submitter_id}))


async def submitter_of(tx: Transaction, api_key: str) -> str | None:
    found = await tx.scalar(sa.text("select submitter_id from account where api_key = :k"), {"k": api_key})
    return None if found is None else str(found)


async def next_control_number(tx: Transaction) -> int:
    """A number that no answer has carried before; a sequence, so that no request waits for another's file."""
    return int(await tx.scalar(sa.text("select nextval('control_number')")))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that the clearinghouse has; `new` when this very request brought it."""

    id: str
    submitter_id: str
    control_number: str
    received_at: datetime
    new: bool = False


async def store_file(tx: Transaction, submitter_id: str, control_number: str, body: bytes) -> StoredFile:
    """The file is kept once; the same number with other bytes is a conflict."""
    digest = hashlib.sha256(body).hexdigest()
    row = {
        "id": derived_id("fil", submitter_id, control_number),
        "submitter": submitter_id,
        "number": control_number,
        "sha": digest,
        "body": body,
        "now": tx.now,
    }
    stored = await tx.execute(
        sa.text(
            "insert into file (id, submitter_id, control_number, sha256, body, received_at) "
            "values (:id, :submitter, :number, :sha, :body, :now) on conflict do nothing"
        ),
        row,
    )
    found = await tx.one(sa.text("select * from file where id = :id"), {"id": row["id"]})
    if found["sha256"] != digest:
        raise Conflict(
            "control_number_reused", "Another file came under this control number before; TA105 would be 025."
        )
    if stored.rowcount == 0:
        await tx.execute(sa.text("update file set arrivals = arrivals + 1 where id = :id"), {"id": row["id"]})
    return _stored(found, new=stored.rowcount == 1)


async def find_files(tx: Transaction, submitter_id: str, control_number: str) -> list[StoredFile]:
    rows = await tx.all(
        sa.text("select * from file where submitter_id = :s and control_number = :n"),
        {"s": submitter_id, "n": control_number},
    )
    return [_stored(row) for row in rows]


async def file_body(tx: Transaction, file_id: str) -> bytes | None:
    found = await tx.scalar(sa.text("select body from file where id = :id"), {"id": file_id})
    return None if found is None else bytes(found)


def _stored(row: Row, *, new: bool = False) -> StoredFile:
    return StoredFile(
        id=row["id"],
        submitter_id=row["submitter_id"],
        control_number=row["control_number"],
        received_at=row["received_at"],
        new=new,
    )


async def deliver(
    tx: Transaction, submitter_id: str, kind: str, body: bytes, *, at: datetime | None, copies: int = 1
) -> None:
    """The answer lies in the mailbox from `at` on; None: it never gets there."""
    await tx.execute(
        sa.text(
            "insert into mail (id, submitter_id, kind, body, release_at) values (:id, :submitter, :kind, :body, :at)"
        ),
        [
            {"id": new_id("mail"), "submitter": submitter_id, "kind": kind, "body": body, "at": at}
            for _ in range(copies)
        ],
    )


async def mail(tx: Transaction, submitter_id: str, kinds: list[str]) -> list[Row]:
    """What is released and not confirmed, oldest first."""
    return list(
        await tx.all(
            sa.text(
                "select id, kind, release_at from mail where submitter_id = :s and confirmed_at is null "
                "and release_at <= :now and (cardinality(cast(:kinds as text[])) = 0 or kind = any(:kinds)) "
                "order by release_at, number limit 500"
            ),
            {"s": submitter_id, "now": tx.now, "kinds": kinds},
        )
    )


async def fetch(tx: Transaction, submitter_id: str, mail_id: str) -> bytes | None:
    """An answer's bytes; a confirmed one can be fetched again, an unreleased one not yet."""
    found = await tx.scalar(
        sa.text("select body from mail where submitter_id = :s and id = :id and release_at <= :now"),
        {"s": submitter_id, "id": mail_id, "now": tx.now},
    )
    return None if found is None else bytes(found)


async def confirm(tx: Transaction, submitter_id: str, mail_id: str) -> bool:
    """The answer is no longer listed; confirming twice is the same as once."""
    done = await tx.execute(
        sa.text(
            "update mail set confirmed_at = coalesce(confirmed_at, :now) "
            "where submitter_id = :s and id = :id and release_at <= :now"
        ),
        {"s": submitter_id, "id": mail_id, "now": tx.now},
    )
    return done.rowcount == 1
