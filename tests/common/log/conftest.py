"""The logs under test, and a service over them."""

from tests.common.log.dock import dock
from tests.common.log.worlds import broker, group, harbour, topic, world

__all__ = ["broker", "dock", "group", "harbour", "topic", "world"]
