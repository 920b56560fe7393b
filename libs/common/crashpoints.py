"""Named points at which a process under test dies, so that every gap between two writes is tried; off unless armed.

A test arms a point by a note in the process's folder, `claims-worker/relay.published.1`, whose text says at which
pass since it has seen the note the process dies. The process renames the note to `….hit` and is gone at once, as by
`kill -9`.
"""

import os
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

POINTS: Final[Mapping[str, str]] = {
    "request.committed": "a request's transaction is committed, nobody has been answered",
    "relay.read": "rows of the outbox are read, none is published",
    "relay.published": "rows are in the log or about to be, and for everybody else still in the outbox",
    "relay.moved": "rows are in the log and in the archive",
    "consumer.polled": "records have come, no work is done",
    "consumer.applied": "records have had their effect in a transaction that is not committed",
    "consumer.taken": "records have had their effect, their offset is not committed",
    "parking.parked": "a key is parked, the offset of its record is not committed",
    "timer.begun": "work that is due is in hand, its step has not begun",
    "webhook.stored": "an inbound message is stored, it is not mapped",
    "send.tried": "an 837 is stored and about to be sent",
    "send.sent": "the clearinghouse has the 837, and we have not noted it",
    "era.stored": "an 835 is stored, and still in the clearinghouse's mailbox",
    "era.posting": "one claim of an 835 is posted, the next is not",
    "projection.written": "a record is on its way to the archive and its table, in a transaction that is not committed",
    "delivery.posted": "a webhook has reached its endpoint, and we have not noted it",
}
"""Every point, and what is true when a process passes it."""
HITS: Final = 3
"""How many notes a point may have."""


@dataclass(slots=True)
class _Armed:
    folder: Path | None = None
    passes: Counter[str] = field(default_factory=Counter)


_armed = _Armed()


def arm(folder: Path) -> None:
    """From now on this process dies where a note in `folder` says so."""
    _armed.folder = folder


def crashpoint(name: str) -> None:
    """Nothing, unless a test has armed this process."""
    if _armed.folder is not None:
        _pass(_armed.folder, name)


def _pass(folder: Path, name: str) -> None:
    assert name in POINTS, f"{name} is in no table"
    for note in (folder / f"{name}.{number}" for number in range(1, HITS + 1)):
        if note.exists():
            _armed.passes[note.name] += 1
            if _armed.passes[note.name] >= int(note.read_text()):
                note.rename(note.with_name(f"{note.name}.hit"))
                os.kill(os.getpid(), signal.SIGKILL)
            return
