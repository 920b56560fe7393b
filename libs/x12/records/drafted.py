"""Records that can be filled in before they are frozen."""

from typing import TypeVar

R = TypeVar("R", bound=type)


def drafted(record: R) -> R:
    """The same dataclass over a base that holds its slots and is not frozen: an instance of the base is a draft of
    the record, and becomes it when its class is changed, which costs next to nothing because nothing but the class
    differs."""
    names = record.__dict__["__slots__"]
    draft = type(f"{record.__name__}Draft", record.__bases__, {"__slots__": names, "__module__": record.__module__})
    body = {name: value for name, value in record.__dict__.items() if name not in names}
    return type(record)(record.__name__, (draft,), {**body, "__slots__": ()})
