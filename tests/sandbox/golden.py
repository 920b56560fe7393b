"""Files written by hand under `tests/data/sandbox`; `(ICN1)`, `(TRACE)` stand for numbers that a payer chose."""

from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "data" / "sandbox"


@dataclass
class Golden:
    """Compares answers with files written by hand, and remembers the numbers that stand in their places."""

    numbers: dict[str, str] = field(default_factory=dict)

    def request(self, name: str) -> bytes:
        """A request with the numbers learnt so far filled in."""
        text = (FOLDER / f"{name}.x12").read_text()
        for placeholder, number in self.numbers.items():
            text = text.replace(placeholder, number)
        return text.encode()

    def check(self, name: str, answer: bytes) -> None:
        """The answer is the file by hand, segment by segment; a new placeholder takes the answer's number."""
        expected = (FOLDER / f"{name}.x12").read_text().splitlines()
        found = answer.decode().splitlines()
        for by_hand, written in zip(expected, found, strict=False):
            assert self._filled(by_hand, written) == written
        assert len(found) == len(expected)

    def _filled(self, by_hand: str, written: str) -> str:
        parts = by_hand.removesuffix("~").split("*")
        for part, actual in zip(parts, written.removesuffix("~").split("*"), strict=False):
            if part.startswith("(") and part not in self.numbers:
                assert actual.isalnum(), f"{part} is a number, not {actual}"
                assert actual not in self.numbers.values(), f"{part} is a number of its own"
                self.numbers[part] = actual
        for placeholder, number in self.numbers.items():
            by_hand = by_hand.replace(placeholder, number)
        return by_hand
