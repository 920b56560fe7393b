"""HIPAA 005010 transactions: read, written, checked, acknowledged and explained; standard library only."""

from libs.x12.api import (
    InputSource,
    Reading,
    Transaction,
    Unreadable,
    Unwritable,
    acknowledge,
    check,
    findings,
    read,
    write,
)
from libs.x12.findings import Finding, Partner, Report, TransactionSummary
from libs.x12.records import *  # noqa: F403
from libs.x12.records import (
    ClaimAcknowledgement,
    ClaimFile,
    EligibilityInquiry,
    EligibilityResponse,
    Remittance,
    ReviewFile,
    StatusInquiry,
    StatusResponse,
    SyntaxAcknowledgement,
)


def write_837p(file: ClaimFile) -> bytes:
    """An interchange with this professional claim file (split at 5,000 claims per ST)."""
    return write(file)


def write_837i(file: ClaimFile) -> bytes:
    """An interchange with this institutional claim file."""
    return write(file)


def write_835(remittance: Remittance) -> bytes:
    """An interchange with this remittance."""
    return write(remittance)


def write_270(inquiry: EligibilityInquiry) -> bytes:
    """An interchange with this eligibility inquiry."""
    return write(inquiry)


def write_271(response: EligibilityResponse) -> bytes:
    """An interchange with this eligibility response."""
    return write(response)


def write_276(inquiry: StatusInquiry) -> bytes:
    """An interchange with this claim status inquiry."""
    return write(inquiry)


def write_277(response: StatusResponse) -> bytes:
    """An interchange with this claim status response."""
    return write(response)


def write_277ca(acknowledgement: ClaimAcknowledgement) -> bytes:
    """An interchange with this claim acknowledgement."""
    return write(acknowledgement)


def write_278(file: ReviewFile) -> bytes:
    """An interchange with this review request, response or inquiry."""
    return write(file)


def write_999(acknowledgement: SyntaxAcknowledgement) -> bytes:
    """An interchange with this syntax acknowledgement."""
    return write(acknowledgement)


__all__ = [
    "Finding", "InputSource", "Partner", "Reading", "Report", "Transaction", "TransactionSummary", "Unreadable",
    "Unwritable", "acknowledge", "check", "findings", "read", "write", "write_270", "write_271", "write_276",
    "write_277", "write_277ca", "write_278", "write_835", "write_837i", "write_837p", "write_999",
]  # fmt: skip
