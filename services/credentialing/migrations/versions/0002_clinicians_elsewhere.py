"""Whether a clinician also works for practices that the caller may not see, without saying for which."""

from libs.common.migrations import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql("""
        create policy owner on credentialing.affiliation for select to credentialing_owner using (true);
        create function credentialing.works_elsewhere(provider text) returns boolean
            language sql stable security definer set search_path = credentialing, pg_temp as $$
            select exists (
                select from affiliation a
                where a.tenant_id = current_setting('parity.tenant_id', true)
                    and a.provider_id = provider
                    and current_setting('parity.practice_ids', true) <> '*'
                    and a.practice_id <> all(string_to_array(current_setting('parity.practice_ids', true), ','))
            )
        $$;
        revoke all on function credentialing.works_elsewhere from public;
        grant execute on function credentialing.works_elsewhere to credentialing_api, credentialing_worker;
    """)
