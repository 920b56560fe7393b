"""Where this history begins; the kernel's tables are there before it (`libs/common/kernel`)."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The kernel has a history of its own."""
