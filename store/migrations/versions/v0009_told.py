"""Which run of an arbitrage's workflow spoke last, and how long its history was then."""

import sqlalchemy as sa
from alembic import op

from store.migrations.ddl import INT64, TEXT

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was written down before counts as the earliest word."""
    op.add_column("arbitrages", sa.Column("told_run", TEXT, nullable=True))
    length = sa.Column("told_history", INT64, nullable=False, server_default=sa.text("0"))
    op.add_column("arbitrages", length)
