"""A strict pen and a tolerant eye."""

import orjson
import pytest
from pydantic import ValidationError

from libs.common.events import CATALOG, CONSUMERS, TaskChanged, UnreadableEvent, read, write

ATTRIBUTES = {
    "id": "01a2",
    "type": "task.changed.v1",
    "source": "/services/claims",
    "subject": "tsk_1",
    "sequence": "3",
    "time": "2026-10-05T12:00:00+00:00",
    "tenantid": "tnt_a",
}


def a_task(**changes: object) -> TaskChanged:
    found: dict[str, object] = {
        "task_id": "tsk_1",
        "practice_id": None,
        "reason": "denied",
        "subject_type": "claim",
        "subject_id": "clm_1",
        "owner": "billing",
        "status": "open",
        "due_on": None,
    }
    return TaskChanged.model_validate(found | changes)


def test_what_is_written_reads_back() -> None:
    event = read(write(ATTRIBUTES, a_task(), None), TaskChanged)
    assert event.data == a_task()
    assert (event.sequence, event.subject, event.topic) == (3, "tsk_1", "task.changed")


def test_a_writer_may_not_add_what_the_schema_does_not_name() -> None:
    with pytest.raises(ValidationError):
        a_task(patient_name="somebody")


def test_a_reader_ignores_what_a_later_release_added() -> None:
    body = orjson.loads(write(ATTRIBUTES, a_task(), None))
    body["data"]["colour"] = "blue"
    body["newattribute"] = "x"
    body["data"]["status"] = "a_status_of_tomorrow"
    assert read(orjson.dumps(body), TaskChanged).data.status == "a_status_of_tomorrow"


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"null", b"\xff", b'{"data": 3}', b'{"data": {}, "sequence": "x"}'])
def test_what_is_no_event_is_unreadable_and_says_nothing_of_its_content(raw: bytes) -> None:
    with pytest.raises(UnreadableEvent) as refused:
        read(raw, TaskChanged)
    assert str(refused.value).startswith("task.changed: ")


@pytest.mark.parametrize("event", list(CONSUMERS), ids=lambda e: e.topic)
def test_each_event_names_its_key_its_kind_and_its_producer(event: type) -> None:
    declared = next(e for e in CATALOG.values() if e is event)
    assert declared.key in declared.model_fields
    assert declared.kind in ("state", "fact")
    assert declared.producer
    assert declared.__doc__
