"""Findings: what is wrong with a file, as data and never as an exception."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, where it is, and what to do about it."""

    level: int
    """SNIP type: 1 syntax, 2 guide, 3 balance, 4 situation, 5 code set, 6 line of business, 7 partner."""
    code: str
    """Ours, stable: ``ELEMENT_CODE``, ``CLAIM_BALANCE``, …"""
    severity: Severity = "error"
    loop: str = ""
    segment: str = ""
    """Segment id, such as ``CLM``."""
    segment_index: int = 0
    """Position in the file, the first ISA being 0."""
    offset: int = 0
    """Byte offset of the segment in the file; for a missing one: of the segment before which it belongs."""
    position: int = 0
    """Position in its transaction, the ST being 1 (as IK302 counts); 0 outside of one."""
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    value: str = ""
    message: str = ""
    advice: str = ""
    """What to do."""
    x12: str = ""
    """Error code for the acknowledgement: IK304 for a segment, IK403 for an element, IK502, AK905 or TA105."""
    data_element: str = ""
    """Number in X12's dictionary, for IK402."""
    transaction: str = ""
    """ST02 of the transaction, empty for the envelope."""
    claim: str = ""
    """The claim's own number (CLM01, CLP01) where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """How one trading partner differs: severities by finding code, and codes that it does not mind."""

    name: str = ""
    severities: Mapping[str, Severity | Literal["ignore"]] = field(default_factory=dict)
    """Finding code, or ``CODE@SEG02`` for one element, to its severity; ``ignore`` drops it."""

    def severity(self, finding: Finding) -> Severity | Literal["ignore"]:
        """The severity that this partner gives the finding; the narrowest entry wins."""
        place = finding.segment + (f"{finding.element:02d}" if finding.element else "")
        for key in (f"{finding.code}@{place}", f"{finding.code}@{finding.segment}", finding.code):
            if key in self.severities:
                return self.severities[key]
        return finding.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionSummary:
    """One transaction of a checked file."""

    set: str
    guide: str
    control: str
    claims: int
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole verdict on a file."""

    interchanges: int
    transactions: tuple[TransactionSummary, ...]
    findings: tuple[Finding, ...]
    truncated: bool = False
    """There were more findings than the limit."""
    errors: int = 0
    """Findings of severity error, those beyond the limit included."""

    @property
    def ok(self) -> bool:
        """No error anywhere; warnings allowed."""
        return not self.errors

    @property
    def readable(self) -> bool:
        """It was an X12 file at all."""
        return self.interchanges > 0


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those findings that are errors."""
    return [finding for finding in findings if finding.severity == "error"]
