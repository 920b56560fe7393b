"""A fact and the dates on which it holds; the YAML files beside this module are read once."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import yaml

ALWAYS = date(1900, 1, 1)
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same content seven times as fast where libyaml is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days on which a fact holds, both inclusive; no end means until further notice."""

    effective_from: date = ALWAYS
    effective_to: date | None = None

    def covers(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    @classmethod
    def of(cls, row: Mapping[str, Any], default_from: date = ALWAYS) -> "Span":
        span = cls(effective_from=row.get("effective_from") or default_from, effective_to=row.get("effective_to"))
        assert span.effective_to is None or span.effective_from <= span.effective_to, f"{row} ends before it begins"
        return span


class Dated(Protocol):
    @property
    def span(self) -> Span: ...


T = TypeVar("T", bound=Dated)
Key = str


@cache
def load(name: str) -> Any:
    """The content of one of this package's YAML files."""
    return yaml.load((Path(__file__).parent / name).read_bytes(), Loader=_LOADER)  # noqa: S506  a safe loader, in C


class Book(Mapping[Key, tuple[T, ...]]):
    """Every version of every fact by its code; `on` gives the one that holds on a day."""

    def __init__(self, facts: Iterable[T], key: Callable[[T], Key]) -> None:
        pages: dict[Key, list[T]] = {}
        for fact in facts:
            pages.setdefault(key(fact), []).append(fact)
        self._pages = {code: tuple(sorted(found, key=lambda f: f.span.effective_from)) for code, found in pages.items()}
        for code, found in self._pages.items():
            for earlier, later in itertools.pairwise(found):
                end = earlier.span.effective_to or date.max
                assert end < later.span.effective_from, f"{code} has two versions on one day"

    def on(self, code: Key, day: date) -> T | None:
        """The version that holds on that day, None where there is none."""
        for fact in self._pages.get(code, ()):
            if fact.span.covers(day):
                return fact
        return None

    def __getitem__(self, code: Key) -> tuple[T, ...]:
        return self._pages[code]

    def __iter__(self) -> Any:
        return iter(self._pages)

    def __len__(self) -> int:
        return len(self._pages)
