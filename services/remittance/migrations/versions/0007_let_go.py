"""What patients are let off, and withheld money that payers have returned."""

from libs.common.migrations import append_only, protect, run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql("""
        create table remittance.patient_write_off (
            tenant_id text not null,
            id text not null,
            practice_id text not null,
            patient_id text not null,
            claim_id text not null,
            kind text not null,
            amount_cents bigint not null check (amount_cents <> 0),
            reverses text,
            why text not null,
            decided_by text not null,
            created_at timestamptz not null,
            primary key (tenant_id, id),
            unique (tenant_id, reverses)
        );
        create index patient_write_off_of_patient on remittance.patient_write_off (tenant_id, patient_id, created_at);
        create table remittance.withhold_return (
            tenant_id text not null,
            provider_adjustment_id text not null,
            line_id text not null,
            practice_id text not null,
            claim_id text not null,
            amount_cents bigint not null check (amount_cents > 0),
            created_at timestamptz not null,
            primary key (tenant_id, provider_adjustment_id, line_id)
        );
        create index withhold_return_of_claim on remittance.withhold_return (tenant_id, claim_id);
        create index line_withheld on remittance.line (tenant_id, practice_id) where withheld_cents > 0;
    """)
    for table in ("patient_write_off", "withhold_return"):
        protect("remittance", table, practice=True)
        append_only("remittance", table)
