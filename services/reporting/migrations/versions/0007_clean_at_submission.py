"""Whether a claim was clean when it was submitted stands with its submission."""

from libs.common.migrations import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql("alter table reporting.submission add column clean boolean")
