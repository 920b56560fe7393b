"""The library's front door: read, check, write, acknowledge."""

from libs.x12.acknowledge import acknowledge
from libs.x12.checking import check, findings
from libs.x12.reading import Reading, Transaction, read
from libs.x12.tokens import InputSource, Unreadable
from libs.x12.unwritable import Unwritable
from libs.x12.writing import write

__all__ = [
    "InputSource", "Reading", "Transaction", "Unreadable", "Unwritable", "acknowledge", "check", "findings", "read",
    "write",
]  # fmt: skip
