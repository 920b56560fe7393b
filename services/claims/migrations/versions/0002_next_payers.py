"""Which payer's turn a submission was: the first's, or of one that pays after it."""

from libs.common.migrations import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql("alter table claims.submission add column rank int not null default 1;")
