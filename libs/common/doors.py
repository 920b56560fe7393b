"""The way of a request through the doors, the same for every route of every service.

Authenticate, check the scope, read the body, open ONE transaction (tenant, practices, actor, request id), look for
the stored answer of a repeated POST, run the route, record who did what, store the answer, commit, and only then
answer. Whatever raises on the way undoes all of it. Requests of a route that says so share a transaction with others
that come at once (`together.py`).
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from libs.common import audit, bodies, idempotency, logs, openapi
from libs.common.auth import Principal, Verifier
from libs.common.crashpoints import crashpoint
from libs.common.db import Database, Transaction
from libs.common.pages import signing_key
from libs.common.problems import FieldError, Forbidden, Invalid, Malformed, NotFound, pointer
from libs.common.rates import Limits, place_of
from libs.common.routing import Door, DoorRoute, Handler, Noted, Straight, Visit, enter, subject_type, visit_of
from libs.common.together import Lane, Lanes, Member

log = logging.getLogger(__name__)

REQUEST_ID: Final = "parity.request_id"
CREATED: Final = 201
RATE_HEADERS: Final = "parity.rate_headers"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PURPOSE: Final = re.compile(r"[A-Za-z_]{2,32}")


class _Refused(Exception):
    """A route answered with a refusal instead of raising one; the transaction is undone all the same."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What an API's doors need; `app.state.doors`."""

    service: str
    db: Database
    verifier: Verifier
    cursor_key: bytes
    body_limit_bytes: int
    limits: Limits
    """Of those who have proven who they are."""
    strangers: Limits
    """Of those who have yet to prove that they are a webhook's source: they spend none of its tokens."""
    local: bool
    """Local mode: a developer's machine, where loopback is a fair place to call."""
    lanes: Lanes

    async def through(self, request: Request, route: DoorRoute, handler: Handler) -> Response:
        """The answer of the route, after its transaction is committed."""
        door = route.door
        principal = await self._admit(request, door)
        _refuse_unknown(request, route)
        visit = Visit(door=door, request_id=request.scope[REQUEST_ID], principal=principal)
        visit.body, is_json = await self._body(request, door)
        enter(request, visit)
        signing_key.set(self.cursor_key)
        parsed = bodies.parse(visit.body) if is_json and route.body_field is not None else None
        read = bodies.Read(request.scope, request.receive, visit.body, parsed)
        try:
            if door.together is not None and isinstance(handler, Straight):
                answer = await self._with_others(read, route, handler, visit)
            elif door.transaction:
                asked = _keyed(read, route, visit) if door.idempotent else None
                answer = await self._in_transaction(read, route, handler, visit, asked)
            else:
                answer = await handler(read)
        except _Refused as refused:
            return refused.answer
        if request.method in _WITH_BODY:
            crashpoint("request.committed")
        return answer

    async def _admit(self, request: Request, door: Door) -> Principal | None:
        _refuse_nul(request)
        if door.open_to == "anyone":
            if source := request.path_params.get("source_id"):
                request.scope[RATE_HEADERS] = self.strangers.admit(_stranger(request, source))
            return None
        principal = await self.verifier.principal(bodies.headers(request.scope).get("authorization"))
        self._spend(request, f"{principal.tenant_id}/{principal.subject}")
        if door.scope is not None and not principal.may(door.scope):
            raise Forbidden("The token lacks the scope that this needs.", code="scope_missing", scope=door.scope)
        logs.bind(tenant_id=principal.tenant_id)
        return principal

    def prove_source(self, request: Request, source_id: str) -> None:
        """The caller has proven to be this source, and spends one of its tokens instead of a stranger's.

        Raises TooMany; then a stranger's is spent as well, so that what comes too often is soon refused unread.
        """
        del request.scope[RATE_HEADERS]
        self._spend(request, f"source/{source_id}")
        self.strangers.restore(_stranger(request, source_id))

    def _spend(self, request: Request, key: str) -> None:
        """One of the key's tokens is spent; the answer says how many are left. Raises TooMany."""
        request.scope[RATE_HEADERS] = self.limits.admit(key)

    async def _body(self, request: Request, door: Door) -> tuple[bytes, bool]:
        """The body, and whether it is JSON."""
        if request.method not in _WITH_BODY:
            return b"", False
        body = await bodies.read(request, limit_bytes=door.body_limit_bytes or self.body_limit_bytes)
        if not body:
            return b"", False
        headers = bodies.headers(request.scope)
        return body, bodies.check_type(headers.get("content-type"), headers.get("content-encoding"), door.accepts)

    async def _in_transaction(
        self, request: Request, route: DoorRoute, handler: Handler, visit: Visit, asked: idempotency.Request | None
    ) -> Response:
        principal = visit.principal
        async with self.db.transaction(
            principal.tenant_id if principal else None,
            practice_ids=_practices(request, principal),
            actor=principal.subject if principal else "anyone",
            correlation_id=visit.request_id,
            request_id=visit.request_id,
            keyed=(asked.route, [asked.key]) if asked is not None else None,
        ) as tx:
            if asked is not None and (stored := idempotency.answered(tx, asked, tx.begun[0])) is not None:
                return stored
            visit.tx = tx
            answer = await handler(request)
            await _finish(tx, request, route, asked, answer)
        return answer

    async def _with_others(self, request: Request, route: DoorRoute, straight: Straight, visit: Visit) -> Response:
        """As `_in_transaction`, which others of the same caller may share."""
        together, principal = visit.door.together, visit.principal
        assert together is not None, "this route shares its transactions"
        assert principal is not None, "those of one caller do"
        asked, noted = _keyed(request, route, visit), Noted()

        async def alone() -> Response:
            return await self._in_transaction(request, route, straight, visit, asked)

        async def finish(tx: Transaction, returned: Any) -> Response:
            answer = straight.write(visit, returned, noted)
            await _finish(tx, request, route, asked, answer)
            return answer

        try:
            await straight.read(request)
        except RequestValidationError:
            return await alone()  # which looks first whether the key was answered once
        lane = Lane(
            together=together,
            route=asked.route,
            tenant_id=principal.tenant_id,
            practice_ids=_practices(request, principal),
            actor=principal.subject,
            of=together.of(visit.content),
        )
        member = Member(
            body=visit.content,
            noted=noted,
            asked=asked,
            request_id=visit.request_id,
            alone=alone,
            finish=finish,
        )
        return await self.lanes.through(lane, member)


async def _finish(
    tx: Transaction, request: Request, route: DoorRoute, asked: idempotency.Request | None, answer: Response
) -> None:
    """What was done is on the trail, and its answer is kept. Raises _Refused, which undoes it."""
    if answer.status_code >= 400:
        raise _Refused(answer)
    if answer.status_code == CREATED and "location" not in answer.headers:
        _locate(request, answer)
    if route.door.audited and (route.door.phi or request.method in _WITH_BODY):
        await _record(tx, request, route, answer)
    if asked is not None:
        await idempotency.keep(tx, asked, answer)


def _locate(request: Request, answer: Response) -> None:
    """What has been created says where it is, if it can be read there."""
    created = _named("id", _shown(request, answer))
    if created is not None and "GET" in openapi.methods(request.app, f"{request.url.path}/{created}"):
        answer.headers["Location"] = f"{request.url.path}/{created}"


def _keyed(request: Request, route: DoorRoute, visit: Visit) -> idempotency.Request:
    return idempotency.request(
        bodies.headers(request.scope).get(idempotency.HEADER.lower()),
        method=request.method,
        route=route.path_format,
        target=f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}",
        body=visit.body,
        practice_ids=visit.principal.practice_ids if visit.principal else None,
    )


def _stranger(request: Request, source_id: str) -> str:
    """Somebody at this address who says that he is this source, and may be wrong."""
    return f"{place_of(request.client and request.client.host)}/{source_id}"


def _practices(request: Request, principal: Principal | None) -> frozenset[str] | None:
    """The practices that the caller may see, or the one of them that X-Practice-Id narrows this request to."""
    if principal is None:
        return None
    chosen = bodies.headers(request.scope).get("x-practice-id")
    if chosen is None:
        return principal.practice_ids
    if not principal.within(chosen):
        raise NotFound("There is no such practice.")
    return frozenset({chosen})


def _refuse_nul(request: Request) -> None:
    """No text column takes a NUL, so nothing has such an id, and no query finds anything."""
    if any("\x00" in value for value in request.path_params.values() if isinstance(value, str)):
        raise NotFound
    if b"%00" in request.scope["query_string"]:
        raise Malformed("The query holds a NUL character.")


def _refuse_unknown(request: Request, route: DoorRoute) -> None:
    """A filter that nobody knows would be left out without a word, and more be answered than was asked for.

    No route takes any parameter that it does not name.
    """
    if not request.scope["query_string"]:
        return
    unknown = [name for name in request.query_params if name not in route.query_names]
    if unknown:
        known = ", ".join(sorted(route.query_names)) or "none"
        raise Invalid(
            [
                FieldError(
                    pointer([name]), "unknown_parameter", f"There is no such parameter; there are: {known}.", "query"
                )
                for name in unknown
            ]
        )


async def _record(tx: Transaction, request: Request, route: DoorRoute, answer: Response) -> None:
    """The trail says who did or saw what; of whom the route says, else its path, else the ids in the answer."""
    subjects = tx.known.pop(audit.ABOUT, None)  # another request of this transaction is about somebody else
    if subjects is None:
        subjects = _subjects(request, _shown(request, answer))
    await audit.record_each(
        tx,
        f"{tx.service}.{route.name}",
        route.door.subject or subject_type(route.path_format),
        [subject for subject, _ in subjects],
        _purpose(request),
        practice_ids=[practice for _, practice in subjects],
    )


def _subjects(request: Request, shown: Any) -> Sequence[tuple[str | None, str | None]]:
    params = [value for value in request.path_params.values() if isinstance(value, str)]
    if params:
        return [(params[-1], _named("practice_id", shown))]
    listed = _field(shown, "data")
    each = listed if isinstance(listed, list) else [shown]
    return [(_named("id", one), _named("practice_id", one)) for one in each]


def _shown(request: Request, answer: Response) -> Any:
    """What the answer shows, as the route returned it or as it is written."""
    if (shown := visit_of(request).shown) is not None:
        return shown
    body = getattr(answer, "body", b"")
    if not body or "json" not in answer.headers.get("content-type", ""):
        return None
    return orjson.loads(body)


def _named(name: str, shown: Any) -> str | None:
    found = _field(shown, name)
    return found if isinstance(found, str) else None


def _field(shown: Any, name: str) -> Any:
    """Of a model or of parsed JSON."""
    return shown.get(name) if isinstance(shown, Mapping) else getattr(shown, name, None)


def _purpose(request: Request) -> str | None:
    purpose = bodies.headers(request.scope).get("x-purpose-of-use")
    if purpose is not None and not _PURPOSE.fullmatch(purpose):
        raise Invalid([FieldError("/X-Purpose-Of-Use", "pattern", "Letters and underscores, 2 to 32.", "header")])
    return purpose


async def _doors(request: Request) -> Doors:
    found = request.app.state.doors
    assert isinstance(found, Doors)
    return found


Here = Annotated[Doors, Depends(_doors)]
"""For routes that open their own transactions: `here.db.transaction(tenant)`."""
