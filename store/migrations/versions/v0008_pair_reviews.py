"""What a person said of a pair: that both listings ask the same, or that they do not."""

from store.migrations.ddl import int64s, known, primary, table, texts

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nobody has said anything yet."""
    table(
        "pair_reviews",
        *texts("pair_id verdict polymarket kalshi actor origin why"),
        *int64s("at_ms"),
        primary("pair_reviews", "pair_id"),
        known("pair_reviews", "verdict", "approved rejected"),
    )
