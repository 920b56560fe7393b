"""What somebody brings who may see some practices only is posted on claims of those, whatever numbers it names."""

from libs.common.migrations import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql("alter table remittance.era add column within text[]")
