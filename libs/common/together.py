"""Requests of one kind that arrive while others of their kind are at work share the next transaction.

Nobody waits for company: what has come when a lane is free goes at once, alone or with whatever came in that moment.
While it is at work the next ones gather, and go in one transaction as soon as it has only to be written: each with its
own key, stored answer, trail and trace. What one is refused for touches no other. If the whole fails, each is done
alone and says what is wrong.

A lane is a route, a tenant, a caller with what it may see, and what the route says beside that (a practice).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.trace import Span
from starlette.responses import Response

from libs.common import idempotency, telemetry
from libs.common.db import Database, Transaction
from libs.common.problems import Problem

log = logging.getLogger(__name__)

TURNS: Final = 3
"""So many turns of the event loop are what `at once` means: some ten microseconds where nothing else comes."""
MOST: Final = 32
"""So many requests share one transaction at most."""


def _future() -> "asyncio.Future[Response | None]":
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, eq=False, kw_only=True)
class Member:
    """A request that may share its transaction with others."""

    body: Any
    """What was sent, as the route takes it."""
    noted: Any
    """What the route says of the answer beside its content."""
    asked: idempotency.Request
    request_id: str
    alone: Callable[[], Awaitable[Response]]
    """Does it in a transaction of its own."""
    finish: Callable[[Transaction, Any], Awaitable[Response]]
    """Writes down what the route returned, as of any request, in the transaction; the answer."""
    answer: "asyncio.Future[Response | None]" = field(default_factory=_future)
    """None: those that it went with have failed."""
    span: Span = field(default_factory=telemetry.running)
    context: Context = field(default_factory=copy_context)

    @contextmanager
    def at_work(self, tx: Transaction) -> Iterator[None]:
        """What is done and told meanwhile is done for this request, and belongs to its trace."""
        tx.request_id = tx.correlation_id = self.request_id
        with telemetry.within(self.span):
            yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How a route does several requests at once."""

    of: Callable[[Any], str]
    """What the bodies of those that share a transaction have in common."""
    do: Callable[[Transaction, Sequence[Member]], Awaitable[Sequence[Any]]]
    """What the route would have returned for each, or the Problem for which it was refused and has left nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Those that may share a transaction."""

    together: Together = field(compare=False)
    route: str
    tenant_id: str
    practice_ids: frozenset[str] | None
    actor: str
    of: str


class Lanes:
    """The lanes of one process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: dict[Lane, list[Member]] = {}
        """Who has gathered in each lane where something is at work."""
        self._at_work: set[asyncio.Task[None]] = set()

    async def through(self, lane: Lane, member: Member) -> Response:
        """The answer of the request, done alone or with others."""
        if lane in self._waiting:
            self._waiting[lane].append(member)
        else:
            self._waiting[lane] = [member]
            self._start(lane)
        return await member.answer or await member.alone()

    def _start(self, lane: Lane) -> None:
        """What has gathered goes, and what comes in this same moment with it."""
        task = asyncio.create_task(self._go(lane), name="together", context=self._waiting[lane][0].context)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _go(self, lane: Lane) -> None:
        """Those that could go have their answers, or are on their own, and the next ones go."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
        group, self._waiting[lane] = _parted(self._waiting[lane])
        with ExitStack() as place:
            place.callback(self._next, lane)
            try:
                for member, answer in zip(group, await self._in_one(lane, group, place), strict=True):
                    _tell(member, answer)
            except Exception as error:  # noqa: BLE001  whoever caused it is told: at once, or when it is done alone
                if len(group) == 1:
                    _tell(group[0], error)
                else:
                    log.info("done_one_by_one", extra={"error": type(error).__name__})
            finally:
                for member in group:
                    _tell(member, None)

    def _next(self, lane: Lane) -> None:
        """The lane is free for those that have gathered."""
        if self._waiting[lane]:
            self._start(lane)
        else:
            del self._waiting[lane]

    async def _in_one(self, lane: Lane, group: Sequence[Member], place: ExitStack) -> list[Response | Problem]:
        """What became of each, once all of it is committed; the next begin while it is written."""
        if not group:
            return []
        found: dict[Member, Response | Problem] = {}
        async with self._db.transaction(
            lane.tenant_id,
            practice_ids=lane.practice_ids,
            actor=lane.actor,
            keyed=(lane.route, [member.asked.key for member in group]),
        ) as tx:
            for member, key in zip(group, tx.begun, strict=True):
                try:
                    if (stored := idempotency.answered(tx, member.asked, key)) is not None:
                        found[member] = stored
                except Problem as problem:
                    found[member] = problem
            fresh = [member for member in group if member not in found]
            for member, returned in zip(fresh, await lane.together.do(tx, fresh), strict=True):
                if isinstance(returned, Problem):
                    found[member] = returned
                    continue
                with member.at_work(tx):
                    found[member] = await member.finish(tx, returned)
            place.close()
        return [found[member] for member in group]


def _parted(waiting: Sequence[Member]) -> tuple[list[Member], list[Member]]:
    """Those that go now, `MOST` at a time and one of each key, and those that go later; who has left does neither."""
    now: dict[str, Member] = {}
    later: list[Member] = []
    for member in waiting:
        if member.answer.done():
            continue
        if len(now) < MOST and member.asked.key not in now:
            now[member.asked.key] = member
        else:
            later.append(member)
    return list(now.values()), later


def _tell(member: Member, answer: Response | Exception | None) -> None:
    """The request has its answer, if nobody told it before and its caller has not gone."""
    if member.answer.done():
        return
    if isinstance(answer, Exception):
        member.answer.set_exception(answer)
    else:
        member.answer.set_result(answer)
