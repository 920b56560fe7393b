"""A remittance whose payee nobody knows may be any practice's: who may see some only is not told of it either."""

from libs.common.migrations import run_sql

revision = "0008"
down_revision = "0007"

_ALL = "current_setting('parity.practice_ids', true) = '*'"
_THEIRS = "string_to_array(current_setting('parity.practice_ids', true), ',')"


def upgrade() -> None:
    run_sql(f"""
        alter policy practice on reporting.era using ({_ALL} or practice_id = any({_THEIRS}));
        alter policy practice on reporting.record using (
            {_ALL}
            or practice_id = any({_THEIRS})
            or (practice_id is null
                and type not in ('provider.changed.v1', 'credential.expiring.v1', 'era.received.v1'))
        );
    """)
