"""The logs under test."""

from tests.common.log.worlds import broker, group, harbour, topic, world

__all__ = ["broker", "group", "harbour", "topic", "world"]
