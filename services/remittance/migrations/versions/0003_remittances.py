"""Remittances as received, what was posted of them, denials, provider adjustments, deposits."""

from pathlib import Path

from libs.common.migrations import protect, run_sql

revision = "0003"
down_revision = "0002"

_TABLES = ("era_file", "era", "era_claim", "posting", "posting_line", "denial", "provider_adjustment", "deposit")


def upgrade() -> None:
    run_sql((Path(__file__).parent.parent / "0003_remittances.sql").read_text())
    for table in _TABLES:
        protect("remittance", table, practice=True)
