"""The mapping from events to tables: complete, and blind to what is sealed."""

from libs.common.events import CATALOG
from services.reporting.facts import BY_TOPIC, PROJECTIONS


def test_every_event_has_a_table_and_no_table_has_two_events() -> None:
    assert set(BY_TOPIC) == set(CATALOG)
    assert len({p.table for p in PROJECTIONS}) == len(PROJECTIONS)


def test_every_column_is_a_field_in_the_open() -> None:
    for projection in PROJECTIONS:
        fields = CATALOG[projection.topic].model_fields
        assert set(projection.fields) <= set(fields) - {"sealed"}, projection.table
