"""The kernel's tables."""

from libs.common.migrations import kernel_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    kernel_tables("remittance")
