"""What a service is made of; each service's `app.py` builds one of these, and the runtime does the rest."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from libs.common.db import Transaction
from libs.common.events.envelope import Envelope, Event
from libs.common.timers import Timer

Handler = Callable[[Transaction, Envelope[Any]], Awaitable[None]]
"""A function of a transaction and an event: it records, it never refuses for coming early."""

Flow = Callable[[Transaction], Awaitable[dict[str, int]]]
"""Counters by which an operator (or the demo) sees whether the flow is quiet; `in_doubt` is one of them. Asked in
every tenant's stead, so it uses functions that may count across tenants, or returns nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A gauge that a service reads in its own tables, in every tenant's stead: values by their labels.

    Labels are states and codes, never ids; what is read costs no more as the tables grow, or is read rarely.
    """

    name: str
    words: str
    labels: tuple[str, ...] = ()
    read: Callable[[Transaction], Awaitable[Mapping[tuple[str, ...], float]]]
    every_seconds: float = 15.0


InboundMapper = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service: its doors, what it consumes and produces, its due work, its schema's history."""

    name: str
    title: str
    migrations: Path
    routers: tuple[APIRouter, ...] = ()
    consumes: Mapping[str, Handler] = field(default_factory=dict)
    produces: tuple[type[Event], ...] = ()
    timers: tuple[Timer, ...] = ()
    inbound: Mapping[str, InboundMapper] = field(default_factory=dict)
    problems: Mapping[type[Exception], tuple[int, str]] = field(default_factory=dict)
    """Exceptions of the pure domain, and the status and code that a caller sees."""
    tied_tasks: Mapping[str, str] = field(default_factory=dict)
    """Kinds of subject whose tasks end with them and not by hand, and what a person does to end them."""
    flow: Flow | None = None
    readings: tuple[Reading, ...] = ()
    opens_sealed: bool = True
    """False: what is sealed in events stays sealed here, and is passed on as it came."""
