"""How often each file has come: a sender who asks before sending again is never counted twice."""

from libs.common.migrations import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("alter table sandbox.file add column arrivals int not null default 1;")
