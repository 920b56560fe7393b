"""Changes to a file's segments, each the cause of one defect."""

from collections.abc import Callable

Change = Callable[[list[str]], list[str]]


def segments(text: str) -> list[str]:
    """The segments of a file."""
    return text.split("~")[:-1]


def joined(parts: list[str]) -> bytes:
    """The file of these segments."""
    return "".join(part + "~" for part in parts).encode("latin-1")


def recounted(parts: list[str]) -> list[str]:
    """The same with SE01 as it must be after segments were added or removed."""
    start = next(i for i, part in enumerate(parts) if part.startswith("ST*"))
    end = next((i for i, part in enumerate(parts) if part.startswith("SE*")), None)
    if end is None:
        return parts
    tail = parts[end].split("*")
    tail[1] = str(end - start + 1)
    return [*parts[:end], "*".join(tail), *parts[end + 1 :]]


def nth(parts: list[str], head: str, turn: int = 1) -> int:
    """Index of the n-th segment that begins so."""
    found = [i for i, part in enumerate(parts) if part == head or part.startswith(head)]
    return found[turn - 1]


def put(head: str, element: int, value: str, turn: int = 1) -> Change:
    """Set one element of the n-th such segment."""

    def change(parts: list[str]) -> list[str]:
        at = nth(parts, head, turn)
        e = parts[at].split("*")
        e += [""] * (element + 1 - len(e))
        e[element] = value
        return [*parts[:at], "*".join(e).rstrip("*") if not value else "*".join(e), *parts[at + 1 :]]

    return change


def drop(head: str, turn: int = 1, count: int = 1) -> Change:
    """Remove the n-th such segment, and those after it up to `count`."""

    def change(parts: list[str]) -> list[str]:
        at = nth(parts, head, turn)
        return recounted(parts[:at] + parts[at + count :])

    return change


def add(after: str, *new: str, turn: int = 1) -> Change:
    """Insert segments after the n-th such one."""

    def change(parts: list[str]) -> list[str]:
        at = nth(parts, after, turn) + 1
        return recounted([*parts[:at], *new, *parts[at:]])

    return change


def swap(head: str, turn: int = 1) -> Change:
    """Exchange the n-th such segment with the one after it."""

    def change(parts: list[str]) -> list[str]:
        at = nth(parts, head, turn)
        return [*parts[:at], parts[at + 1], parts[at], *parts[at + 2 :]]

    return change


def both(*changes: Change) -> Change:
    """One change after another."""

    def change(parts: list[str]) -> list[str]:
        for one in changes:
            parts = one(parts)
        return parts

    return change
