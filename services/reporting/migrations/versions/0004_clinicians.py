"""Whoever may see some practices only sees the clinicians of those, and what is told of them.

The function looks `provider` up each time by name, so that a rebuild can put another table in its place.
"""

from libs.common.migrations import run_sql

revision = "0004"
down_revision = "0003"

_ALL = "current_setting('parity.practice_ids', true) = '*'"
_THEIRS = "string_to_array(current_setting('parity.practice_ids', true), ',')"


def upgrade() -> None:
    run_sql(f"""
        create policy practice on reporting.provider as restrictive to reporting_api, reporting_worker
            using ({_ALL} or practice_ids ?| {_THEIRS});
        create function reporting.shows_provider(tenant text, provider text) returns boolean language sql stable
            as 'select exists (select from reporting.provider p where p.tenant_id = $1 and p.provider_id = $2)';
        create policy practice on reporting.credential_notice as restrictive to reporting_api, reporting_worker
            using ({_ALL} or reporting.shows_provider(tenant_id, provider_id));
        alter policy practice on reporting.record using (
            {_ALL}
            or practice_id = any({_THEIRS})
            or (practice_id is null and type not in ('provider.changed.v1', 'credential.expiring.v1'))
        );
    """)
