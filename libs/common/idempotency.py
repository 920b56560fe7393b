"""The same POST twice has one effect and one answer.

Key, request hash and answer commit with the change itself. The answer may show what nobody else should read, so it
is stored sealed. A refusal stores nothing: the caller may mend the request and use the key again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import orjson
import sqlalchemy as sa
from starlette.responses import Response

from libs.common.db import Row, Transaction
from libs.common.problems import FieldError, InFlight, Invalid, Malformed

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEPT_DAYS: Final = 7
_SWEEPS: Final = "00"
"""One request in 256 also takes away the tenant's answers that are too old."""
_CONTEXT: Final = "idempotency"
_KEPT_HEADERS: Final = (b"content-type", b"location", b"etag")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One keyed request: the route's template, the caller's key, and a hash of everything that was asked."""

    route: str
    key: str
    digest: str


def request(
    key: str | None, *, method: str, route: str, target: str, body: bytes, practice_ids: Iterable[str] | None
) -> Request:
    """The keyed request. Raises Malformed (400) without a usable key.

    The digest covers the path and query as sent and what the caller may see, so that a key never answers one caller
    with what another, more restricted, must not know.
    """
    if not key:
        raise Malformed(
            f"Every POST carries an {HEADER}: a text of your own choice, new for each new request.",
            code="idempotency_key_required",
        )
    if not (8 <= len(key) <= 128 and key.isascii() and key.isprintable()):
        raise Malformed(
            f"An {HEADER} has 8 to 128 printable ASCII characters.",
            code="idempotency_key_invalid",
            errors=[FieldError(f"/{HEADER}", "length", "8 to 128 printable ASCII characters", "header")],
        )
    sight = "*" if practice_ids is None else ",".join(sorted(practice_ids))
    head = "\n".join((method, target, sight)).encode()
    digest = hashlib.sha256(hashlib.sha256(head).digest() + hashlib.sha256(body).digest()).hexdigest()
    return Request(route=f"{method} {route}", key=key, digest=digest)


def answered(tx: Transaction, asked: Request, found: Row) -> Response | None:
    """The stored answer if this was done before; None if it is to be done now, by nobody else meanwhile.

    `tx` has begun with the request's route and key, and `found` is what that brought.

    Raises InFlight (409) while another does the same, Invalid (422) if the key was used for something else.
    """
    if not found["locked"]:
        raise InFlight("A request with this key is still running.")
    if found["request_hash"] is None:
        return None
    if found["request_hash"] != asked.digest:
        raise Invalid(
            code="idempotency_key_reuse",
            title="This key belongs to another request",
            detail=f"A new request needs a new {HEADER}.",
        )
    return _answer(tx, found)


async def keep(tx: Transaction, asked: Request, answer: Response) -> None:
    """The answer is stored with the change. If somebody has just stored theirs, it ends with InFlight."""
    assert tx.keyring is not None, "stored answers are sealed"
    headers = {name.decode(): value.decode() for name, value in answer.raw_headers if name in _KEPT_HEADERS}
    tx.later_row(
        _KEEP,
        {
            "tenants": tx.tenant,
            "routes": asked.route,
            "keys": asked.key,
            "hashes": asked.digest,
            "statuses": answer.status_code,
            "headers": orjson.dumps(headers).decode(),
            "bodies": tx.keyring.seal(tx.tenant, bytes(answer.body), _CONTEXT),
        },
        missed=InFlight("A request with this key has just finished; ask again for its answer."),
    )
    if asked.digest.endswith(_SWEEPS):
        sweep(tx)


def sweep(tx: Transaction) -> None:
    """The tenant's answers older than `KEPT_DAYS` are gone, 1,000 at a time."""
    tx.later(_SWEEP, {"days": KEPT_DAYS, "tenant": tx.tenant})


def _answer(tx: Transaction, kept: Row) -> Response:
    assert tx.keyring is not None, "stored answers are sealed"
    body = tx.keyring.open(tx.tenant, kept["body_sealed"], _CONTEXT)
    return Response(body, status_code=kept["status"], headers={**orjson.loads(kept["headers"]), REPLAYED: "true"})


_KEEP = sa.text(
    "insert into idempotency (tenant_id, route, key, request_hash, status, headers, body_sealed) "
    "select a.tenant_id, a.route, a.key, a.hash, a.status, cast(a.headers as jsonb), a.body "
    "from unnest(cast(:tenants as text[]), cast(:routes as text[]), cast(:keys as text[]), cast(:hashes as text[]), "
    "cast(:statuses as int[]), cast(:headers as text[]), cast(:bodies as text[])) "
    "as a (tenant_id, route, key, hash, status, headers, body) "
    "on conflict (tenant_id, route, key) do nothing"
)
_SWEEP = sa.text(
    "delete from idempotency where (tenant_id, route, key) in (select tenant_id, route, key from idempotency "
    "where tenant_id = :tenant and created_at < clock_timestamp() - make_interval(days => :days) limit 1000)"
)
