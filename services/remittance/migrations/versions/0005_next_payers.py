"""Whether another payer is asked for what this one leaves, and whose turn a claim has come to."""

from libs.common.migrations import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql("""
        alter table remittance.submission add column next_payer boolean not null default false;
        alter table remittance.claim_state add column rank int not null default 1;
    """)
