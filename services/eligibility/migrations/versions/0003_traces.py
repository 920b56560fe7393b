"""The trace in which a session came in goes on with whatever is done for it."""

from libs.common.migrations import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql("alter table eligibility.encounter add column traceparent text;")
