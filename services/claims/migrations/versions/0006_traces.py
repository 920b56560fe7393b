"""The trace in which a session came in goes on with whatever is done for it."""

from libs.common.migrations import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql("alter table claims.claim add column traceparent text;")
