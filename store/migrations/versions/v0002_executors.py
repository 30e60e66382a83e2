"""Executors report that they live, and what they see."""

from store.migrations.ddl import int64s, primary, table, texts

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    table(
        "executors",
        *texts("name"),
        *int64s("since_ms seen_ms"),
        *texts("report"),
        primary("executors", "name"),
    )
