"""A clearinghouse account knows its receiver's name, and whether what is sent is a test."""

from libs.common.migrations import run_kernel_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_kernel_sql("""
        alter table "{schema}".clearinghouse_account
            add column receiver_name text, add column test boolean not null default false;
    """)
