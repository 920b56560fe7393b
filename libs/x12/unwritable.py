"""What cannot be sent."""

import re
from functools import cache
from typing import Any

from libs.x12.records import Delimiters


class Unwritable(ValueError):
    """A record holds a value that no interchange can carry, or lacks one that it must have."""


def check_values(values: list[str], marks: Delimiters, item: Any) -> None:
    """Refuse a delimiter, or a character outside the basic and extended sets, within a value."""
    found = forbidden(marks).search("".join(values))
    if found:
        number = getattr(item, "pcn", "") or type(item).__name__
        raise Unwritable(f"the character {found[0]!r} in a value of {number} cannot be sent")


@cache
def forbidden(marks: Delimiters) -> re.Pattern[str]:
    """Finds a character that no value may have."""
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!\"&'()*+,-./:;?= abcdefghijklmnopqrstuvwxyz%@[]_{}\\|<>~^`#$")
    allowed -= {marks.element, marks.component, marks.repetition, marks.segment}
    return re.compile("[^" + re.escape("".join(sorted(allowed))) + "]")
