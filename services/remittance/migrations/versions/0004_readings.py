"""How a tenant reads adjustment codes that no table knows."""

from libs.common.migrations import protect, run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql("""
        create table remittance.adjustment_reading (
            tenant_id text not null,
            id text not null,
            payer_id text,
            group_code text not null,
            reason_code text not null,
            adjusts text not null,
            effective_from date not null,
            effective_to date,
            why text not null,
            decided_by text not null,
            created_at timestamptz not null,
            primary key (tenant_id, id)
        );
        create unique index adjustment_reading_once on remittance.adjustment_reading
            (tenant_id, coalesce(payer_id, ''), group_code, reason_code, effective_from);
    """)
    protect("remittance", "adjustment_reading")
