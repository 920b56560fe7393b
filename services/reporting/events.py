"""What reporting consumes and produces."""

from libs.common.events import Event, TaskChanged
from services.reporting.project import CONSUMES

PRODUCES: tuple[type[Event], ...] = (TaskChanged,)

__all__ = ["CONSUMES", "PRODUCES"]
