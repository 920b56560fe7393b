"""Patients' consents to disclosure, and sessions that nobody has been told of for want of one."""

from libs.common.migrations import protect, run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql("""
        create table claims.consent (
            id text primary key,
            tenant_id text not null,
            practice_id text not null,
            patient_id text not null,
            external_id text not null,
            kind text not null,
            payer_ids text[] not null,
            given_on date not null,
            expires_on date,
            revoked_at timestamptz,
            document_ref text,
            version int not null,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            constraint consent_once unique (tenant_id, practice_id, external_id)
        );
        create index consent_of_patient on claims.consent (tenant_id, patient_id);
        alter table claims.encounter add column told boolean not null default true;
        create index encounter_untold on claims.encounter (tenant_id, patient_id) where not told;
    """)
    protect("claims", "consent", practice=True)
