"""The remittances of a file and the postings of a remittance are found by an index, however many others there are."""

from libs.common.migrations import run_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql("""
        create index era_by_file on remittance.era (tenant_id, file_id, position);
        create index posting_by_era on remittance.posting (tenant_id, era_id);
    """)
