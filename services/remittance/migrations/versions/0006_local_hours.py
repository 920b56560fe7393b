"""Where the clearinghouse has its day."""

from libs.common.migrations import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql(
        "alter table remittance.clearinghouse_account add column if not exists time_zone text not null default 'UTC';"
    )
