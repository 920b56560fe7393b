"""Reading: a file of any size as transactions, a transaction as its items, an item as a frozen record."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TypeVar

from libs.x12.findings import Finding, Report
from libs.x12.records import Record
from libs.x12.tokens import InputSource
from libs.x12.walk import Transaction, Walk

R = TypeVar("R")


class Reading:
    """A file being read, lazily; `records` and `one` read it all."""

    def __init__(self, source: InputSource) -> None:
        self.source = source
        self._notes: list[Finding] = []
        self._records: tuple[Record, ...] | None = None

    def __iter__(self) -> Iterator[Transaction]:
        """The transactions in the order of the file; each must be used before the next is asked for."""
        events = Walk(self.source).events()
        current: Transaction | None = None
        for event in events:
            if isinstance(event, Transaction) and event is not current:
                current = event
                event._events = events
                yield event

    @property
    def records(self) -> tuple[Record, ...]:
        """Every transaction as its typed record, in the order of the file."""
        if self._records is None:
            self._records = tuple(transaction.record for transaction in self)
        return self._records

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the file (the same as `check` finds)."""
        check: Callable[..., Report] = import_module("libs.x12.checking").check
        return check(self.source).findings

    def one(self, kind: type[R]) -> R:
        """The only transaction of that record type; `ValueError` when there is none or more than one."""
        found = [record for record in self.records if isinstance(record, kind)]
        if len(found) != 1:
            raise ValueError(f"{len(found)} transactions of type {kind.__name__}, not one")
        return found[0]


def read(source: InputSource) -> Reading:
    """Read a file of any size; bad content never raises, a file that is not X12 at all raises `Unreadable`.

    Iterate for one transaction at a time, and a transaction for one claim at a time; or take `records`."""
    return Reading(source)


__all__ = ["Reading", "Transaction", "read"]
