"""Lists in pages with signed opaque cursors, and versions as ETags."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import date, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

import orjson
import sqlalchemy as sa
from fastapi import Depends, Header, Query, Response
from pydantic import BaseModel, Field

from libs.common.db import Row, Transaction
from libs.common.problems import FieldError, Invalid, Malformed, PreconditionFailed, PreconditionRequired

T = TypeVar("T")
MOST: Final = 200
_MAC_BYTES: Final = 16
signing_key: ContextVar[bytes] = ContextVar("cursor_signing_key")
"""Set for each request from the settings' cursor key."""

Cursor = Annotated[
    str | None, Query(max_length=1024, description="`page.next_cursor` of the page before; leave out for the first.")
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]


class PageInfo(BaseModel):
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null at the end.")
    has_more: bool


class Page(BaseModel, Generic[T]):
    """One page of a list, in a stable order."""

    data: list[T]
    page: PageInfo


async def paginate(
    tx: Transaction,
    select: sa.Select[Any],
    cursor: str | None = None,
    limit: int = 50,
    *,
    key: Sequence[str] = ("created_at", "id"),
    descending: bool = False,
    view: Callable[[Row], T] = dict,  # type: ignore[assignment]  # without a view the rows are answered as they are
) -> Page[T]:
    """The rows of `select` after `cursor`, ordered by the columns `key`, which together must be unique and not null.

    A cursor is good for the same tenant, the same table's columns and the same order; any other is refused (400).
    """
    columns = [_column(select, name) for name in key]
    scope = f"{tx.tenant_id}/{'desc' if descending else 'asc'}/{'/'.join(str(column) for column in columns)}"
    if cursor is not None:
        after = sa.tuple_(*(sa.literal(v, c.type) for v, c in zip(_read(cursor, scope, key), columns, strict=True)))
        here = sa.tuple_(*columns)
        select = select.where(here < after if descending else here > after)
    ordered = select.order_by(None).order_by(*(c.desc() if descending else c.asc() for c in columns))
    rows = await tx.all(ordered.limit(limit + 1))
    has_more, rows = len(rows) > limit, rows[:limit]
    last = _write([rows[-1][name] for name in key], scope) if has_more else None
    return Page(data=[view(row) for row in rows], page=PageInfo(next_cursor=last, has_more=has_more))


def _column(select: sa.Select[Any], name: str) -> sa.ColumnElement[Any]:
    """The column behind a name of the select, as it can stand in a WHERE."""
    found = select.selected_columns[name]
    return found.element if isinstance(found, sa.Label) else found


def _write(values: Sequence[Any], scope: str) -> str:
    body = orjson.dumps([_out(value) for value in values])
    return base64.urlsafe_b64encode(_mac(scope, body) + body).rstrip(b"=").decode()


def _read(cursor: str, scope: str, key: Sequence[str]) -> list[Any]:
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(scope, body)):
        raise Malformed(
            "The cursor is not one of this list.",
            code="cursor_invalid",
            errors=[FieldError("/cursor", "cursor_invalid", "Start again without a cursor.", "query")],
        )
    values = [_in(value) for value in orjson.loads(body)]
    assert len(values) == len(key), "a cursor carries its columns in its signature"
    return values


def _mac(scope: str, body: bytes) -> bytes:
    return hmac.digest(signing_key.get(), scope.encode() + b"\x00" + body, hashlib.sha256)[:_MAC_BYTES]


def _out(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    return {"d": value.isoformat()} if isinstance(value, date) else value


def _in(value: Any) -> Any:
    if isinstance(value, Mapping):
        return datetime.fromisoformat(value["t"]) if "t" in value else date.fromisoformat(value["d"])
    return value


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def set_etag(response: Response, version: int) -> None:
    """The answer says which version it shows."""
    response.headers["ETag"] = etag(version)


def expected_version(
    if_match: Annotated[
        str | None, Header(alias="If-Match", description="The ETag of what you read; refused (412) once it is old.")
    ] = None,
) -> int | None:
    """The version named by If-Match; None for `*`. Raises PreconditionRequired (428) without the header."""
    if if_match is None:
        raise PreconditionRequired
    if if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Malformed(
            "If-Match is not an ETag of ours.",
            errors=[FieldError("/If-Match", "etag_invalid", "Send the ETag as you got it, quotes included.", "header")],
        )
    return int(text)


IfMatch = Annotated[int | None, Depends(expected_version)]


def check_version(expected: int | None, actual: int) -> None:
    """Goes on if the caller means the present version. Raises PreconditionFailed (412)."""
    if expected is not None and expected != actual:
        raise PreconditionFailed


def invalid_query(name: str, code: str, message: str) -> Invalid:
    """A query parameter that is understood and not right."""
    return Invalid([FieldError(f"/{name}", code, message, "query")])


def write_position(tx: Transaction, position: int, of: str) -> str:
    """A signed cursor that stands for a place in an endless list, good for this tenant."""
    return _write([position], f"{tx.tenant_id}/{of}")


def read_position(tx: Transaction, cursor: str, of: str) -> int:
    """The place that `write_position` signed; any other cursor is refused (400)."""
    return int(_read(cursor, f"{tx.tenant_id}/{of}", ["position"])[0])
