"""One JSON line for each record; only named fields, and of an exception only its type and our place."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from libs.common import logs


class Lines:
    """Loggers that write to memory, as `configure` sets them up."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def last(self) -> dict[str, Any]:
        return self.all()[-1]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    names = ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "sqlalchemy", "aiokafka", "httpx", "httpcore")
    before = (root.handlers[:], root.level, [(n, logging.getLogger(n).level) for n in names])
    found = Lines()
    logs.configure("claims", "api", stream=found.stream)
    yield found
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for name, level in before[2]:
        logging.getLogger(name).setLevel(level)
    logging.getLogger("uvicorn.access").disabled = False


def test_a_line_has_our_words_and_the_fields_that_are_allowed(lines: Lines) -> None:
    logging.getLogger("services.claims.submit").info(
        "batch_sent", extra={"claim_id": "clm_1", "count": 3, "patient_name": "Jo Rivera", "reason": {"a": "Jo Rivera"}}
    )
    line = lines.last()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "services.claims.submit",
        "message": "batch_sent",
        "service": "claims",
        "role": "api",
        "claim_id": "clm_1",
        "count": 3,
        "reason": "dict",
    }


def test_what_is_bound_is_on_each_line_inside_and_on_none_after(lines: Lines) -> None:
    log = logging.getLogger("libs.common.doors")
    with logs.bound(request_id="req_1"):
        logs.bind(tenant_id="tnt_a", name="Jo Rivera")
        log.info("inside")
    log.info("after")
    inside, after = lines.all()
    assert (inside["request_id"], inside["tenant_id"]) == ("req_1", "tnt_a")
    assert "request_id" not in after
    assert "Rivera" not in lines.stream.getvalue()


def test_of_an_exception_the_type_and_the_place_are_told_and_not_the_words(lines: Lines) -> None:
    try:
        logs.where(None)
        int("Jo Rivera")
    except ValueError:
        logging.getLogger("libs.common.doors").exception("request_failed")
    assert lines.last()["error"] == "ValueError"
    assert "Rivera" not in lines.stream.getvalue()


def test_the_place_is_the_last_one_in_our_own_code() -> None:
    from libs.common.money import cents  # noqa: PLC0415

    with pytest.raises(ValueError) as failed:  # noqa: PT011
        cents("Jo Rivera")
    place = logs.where(failed.value)
    assert place is not None
    assert place.startswith("libs/common/money.py:")


def test_other_libraries_finished_sentences_are_not_repeated(lines: Lines) -> None:
    logging.getLogger("somelibrary.client").warning("could not read Jo Rivera")
    logging.getLogger("somelibrary.client").warning("could not read %s", "Jo Rivera")
    first, second = lines.all()
    assert first["message"].startswith("test_logs.")
    assert second["message"] == "could not read %s"
    assert "Rivera" not in lines.stream.getvalue()


def test_the_access_log_is_off_and_clients_do_not_log_addresses(lines: Lines) -> None:
    logging.getLogger("uvicorn.access").info('%s - "%s"', "1.2.3.4", "GET /v1/patients/Jo-Rivera")
    logging.getLogger("httpx").info("HTTP Request: GET http://x/Jo-Rivera")
    assert lines.all() == []
