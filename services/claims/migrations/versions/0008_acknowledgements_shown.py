"""An acknowledgement says which file it answers; who may see some practices only sees what answers files of those."""

from libs.common.migrations import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql("""
        alter table claims.acknowledgement add column batch_id text, add column practice_id text;
        create index acknowledgement_page on claims.acknowledgement (tenant_id, received_at, mail_id);
        create index acknowledgement_of_batch on claims.acknowledgement (tenant_id, batch_id);
        create policy practice on claims.acknowledgement as restrictive to claims_api, claims_worker
            using (
                current_setting('parity.practice_ids', true) = '*'
                or practice_id = any(string_to_array(current_setting('parity.practice_ids', true), ','))
            );
    """)
