"""An endpoint that takes nothing rests for a while before it is tried again."""

from libs.common.migrations import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql("alter table reporting.endpoint add column rests_until timestamptz")
