"""A file's groups and transactions with the findings of each, for its acknowledgement."""

from typing import Any

from libs.x12.checking import Checker
from libs.x12.envelope_of import envelope_of
from libs.x12.findings import Partner, errors
from libs.x12.records import (
    Envelope,
)
from libs.x12.tokens import blocks
from libs.x12.unwritable import Unwritable


class Scan:
    """The file's groups and transactions with their findings."""

    def __init__(self, data: bytes, partner: Partner | None) -> None:
        checker = Checker(data, partner)
        self.noted = [finding for finding in checker.findings() if finding.severity != "info"]
        """Errors, and warnings, which an acknowledgement may mention while it accepts."""
        self.findings = errors(self.noted)
        self.groups: list[tuple[list[str], list[tuple[list[str], int, str]]]] = []
        self.first: list[str] = []
        self.header: Any = None
        index = -1
        sets = iter(checker.summaries)
        for block in blocks(data):
            for text in block.segments:
                index += 1
                name = text[:3].rstrip(block.header.element)
                if name == "ISA" and not self.first:
                    self.first, self.header = block.header.elements, block.header
                elif name == "GS":
                    self.groups.append((text.split(block.header.element), []))
                elif name == "ST":
                    if not self.groups:
                        self.groups.append(([], []))
                    summary = next(sets, None)
                    self.groups[-1][1].append((text.split(block.header.element), index, summary.set if summary else ""))

    @property
    def envelope(self) -> Envelope:
        """The file's own."""
        if self.header is None:
            raise Unwritable("not an X12 file")
        return envelope_of(self.first, self.groups[0][0] if self.groups else [], [], self.header)


def clean(text: str) -> str:
    """A value without anything that the answer's own delimiters would break on."""
    return "".join(c for c in text if " " <= c <= "~" and c not in "*:^~").strip()


def at(e: list[str], position: int) -> str:
    return e[position].strip() if len(e) > position else ""
