"""Claims as remittance knows them, and the ledger: append-only, each journal held to zero by the database too."""

from pathlib import Path

from libs.common.migrations import append_only, protect, run_sql

revision = "0002"
down_revision = "0001"

_TABLES = (
    "practice", "coverage", "claim_state", "receivable", "submission", "submission_line", "line",
    "journal", "entry", "patient_account", "patient_money", "visit",
)  # fmt: skip


def upgrade() -> None:
    run_sql((Path(__file__).parent.parent / "0002_ledger.sql").read_text())
    for table in _TABLES:
        protect("remittance", table, practice=True)
    for table in ("journal", "entry", "patient_money"):
        append_only("remittance", table)
