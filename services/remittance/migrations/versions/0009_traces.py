"""The trace in which a session came in goes on with whatever is done for it."""

from libs.common.migrations import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql("alter table remittance.receivable add column traceparent text;")
