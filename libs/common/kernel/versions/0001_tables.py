"""The kernel's tables, each with the least its roles need."""

from pathlib import Path

from libs.common.migrations import append_only, protect, run_kernel_sql, schema

revision = "0001"
down_revision = None

_TABLES = (Path(__file__).parents[1] / "0001.sql").read_text()


def upgrade() -> None:
    run_kernel_sql(_TABLES)
    for table in ("timer", "idempotency", "clearinghouse_account"):
        protect(schema(), table)
    for table in ("task", "audit", "inbound_source", "inbound_message"):
        protect(schema(), table, practice=True)
    for table in ("timer", "inbound_source"):
        run_kernel_sql(f'create policy owner on "{{schema}}".{table} for select to "{{schema}}_owner" using (true);')
    append_only(schema(), "audit")
