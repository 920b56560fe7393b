"""A clinician's day is found by their NPI."""

from libs.common.migrations import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql("create index claim_of_clinician on claims.claim (tenant_id, provider_npi, service_date);")
