"""What the followed markets ask and when they end, in their venues' own words."""

from alembic import op

from store.migrations.ddl import int64s, known, primary, table, texts

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    table(
        "market_terms",
        *texts("venue market title rules category url"),
        *int64s("closes_ms settles_ms", null=True),
        *int64s("read_ms"),
        primary("market_terms", "venue", "market"),
        known("market_terms", "venue", "polymarket kalshi"),
    )
    op.create_index("ix_market_terms_read", "market_terms", ["read_ms"])
