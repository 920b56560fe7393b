"""One JSON line for each log record, with an allow-list of fields, so that no identity gets into a log by accident.

Our own messages are fixed words; what varies goes into named fields (`extra={"claim_id": …}`), and only the names in
`FIELDS` are written. Of an exception only its type is written: the text may quote what somebody sent.
"""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, TextIO

import orjson

FIELDS: Final = frozenset(
    {
        # the request or the record in hand
        "service", "role", "request_id", "correlation_id", "tenant_id", "actor", "method", "route", "status", "code",
        "milliseconds", "trace_id", "span_id", "event_id", "topic", "partition", "offset", "key", "group", "port",
        # ids of what it is about
        "claim_id", "encounter_id", "patient_id", "practice_id", "payer_id", "provider_id", "batch_id", "era_id",
        "task_id", "source_id", "message_id", "subject_type", "subject_id", "kind", "timer_id", "control_number",
        # figures
        "attempt", "count", "seconds", "bytes", "reason", "error", "where", "sqlstate", "state", "exit_code", "id",
    }
)  # fmt: skip
_TEMPLATES: Final = frozenset({"libs", "services", "deploy", "parity", "__main__", "uvicorn"})
"""Loggers whose messages are fixed words; that of any other without arguments may be a finished sentence."""
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})
_bound: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=_NONE)


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Each line written inside carries these fields."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def bind(**fields: Any) -> None:
    """Each later line of this task carries these fields too."""
    _bound.set({**_bound.get(), **fields})


def bound_fields() -> Mapping[str, Any]:
    return _bound.get()


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and the fields that are allowed."""

    def __init__(self, **always: str) -> None:
        super().__init__()
        self._always = always

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        for fields in (self._always, _bound.get(), record.__dict__):
            line.update([(name, _plain(value)) for name, value in fields.items() if name in FIELDS])
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["where"] = where(record.exc_info[1])
        return orjson.dumps(line).decode()


def _message(record: logging.LogRecord) -> str:
    """Our own words as they are; of other libraries the template only, never what was put into it."""
    if record.args or record.name.partition(".")[0] in _TEMPLATES:
        return str(record.msg)
    return f"{record.module}.{record.funcName}:{record.lineno}"


def _plain(value: Any) -> Any:
    return value if isinstance(value, _PLAIN) else type(value).__name__


_PLAIN: Final = (str, int, float, bool, type(None))


def where(error: BaseException | None) -> str | None:
    """The last place of our own code that an exception went through: `libs/common/db.py:120`."""
    found = None
    trace = error.__traceback__ if error is not None else None
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename.replace("\\", "/")
        for root in ("/libs/", "/services/", "/deploy/"):
            if root in path and "site-packages" not in path:
                found = f"{root[1:]}{path.rpartition(root)[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def configure(service: str, role: str = "", *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Every logger of this process writes JSON lines to `stream` (standard error); uvicorn's access log is off."""
    # What no line shows is not looked up for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(**{"service": service} | ({"role": role} if role else {})))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in (
        "uvicorn",
        "uvicorn.error",
        "uvicorn.access",
        "asyncio",
        "sqlalchemy",
        "aiokafka",
        "httpx",
        "httpcore",
    ):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("httpx", "httpcore", "aiokafka", "sqlalchemy"):
        logging.getLogger(name).setLevel("WARNING")
