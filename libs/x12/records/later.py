"""Records that are filled in when they are first looked at: a file is read no further than it is used."""

from collections.abc import Callable
from typing import Any


class Later:
    """A record that may know its own text only, until a field is asked for.

    Filling in is not guarded against two threads that look at the same record for the first time at once."""

    __slots__ = ("_later",)

    _later: Callable[[Any], None] | None


def fill_in(record: Any, name: str) -> Any:
    """The field `name` of a record that is not filled in yet; `AttributeError` for a name that it has not."""
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        later = object.__getattribute__(record, "_later")
    except AttributeError:
        later = None
    if later is None or name not in type(record).__dataclass_fields__:
        raise AttributeError(f"{type(record).__name__} has no field {name!r}")
    later(record)
    return object.__getattribute__(record, name)
