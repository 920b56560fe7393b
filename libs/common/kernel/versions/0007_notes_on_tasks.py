"""Who works on a task writes down what was found and said; sealed, and never changed."""

from libs.common.migrations import append_only, protect, run_kernel_sql, schema

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_kernel_sql("""
        create table "{schema}".task_note (
            id text primary key,
            tenant_id text not null,
            practice_id text,
            task_id text not null references "{schema}".task (id),
            author text not null,
            text_sealed text not null,
            created_at timestamptz not null
        );
        create index task_note_page on "{schema}".task_note (tenant_id, task_id, created_at, id);
    """)
    protect(schema(), "task_note", practice=True)
    append_only(schema(), "task_note")
