"""What each arbitrage costs its day for certain, and the cash of each of Kalshi's shards."""

import sqlalchemy as sa
from alembic import op

from store.migrations.ddl import INT64, TEXT

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. What had ended is charged to its day already; what is held at a loss was
    not, and is charged now, with the loss that the trade log shows. Cash is known by shard from
    the next balance on; an older reservation counts against every shard."""
    op.add_column("venue_balances", sa.Column("shards", TEXT, nullable=True))
    op.add_column("reservations", sa.Column("kalshi_shard", INT64, nullable=True))
    lost = sa.Column("lost_micro", INT64, nullable=False, server_default=sa.text("0"))
    op.add_column("reservations", lost)
    op.execute(
        """
        UPDATE reservations SET lost_micro = (
            SELECT -realised_micro FROM arbitrages WHERE id = reservations.arb_id
        ) WHERE arb_id IN (SELECT id FROM arbitrages WHERE realised_micro < 0)
        """
    )
    op.execute(
        """
        UPDATE reservations SET lost_micro = (
            SELECT -pnl_micro FROM executor_trades WHERE arb_id = reservations.arb_id
        ) WHERE state <> 'held' AND arb_id IN (
            SELECT arbitrages.id FROM arbitrages
            JOIN executor_trades ON executor_trades.arb_id = arbitrages.id
            WHERE closed_ms IS NULL AND pnl_micro < 0)
        """
    )
    op.execute(
        """
        UPDATE risk_days SET realised_loss_micro = (
            SELECT coalesce(sum(lost_micro), 0) FROM reservations
            WHERE reservations.mode = risk_days.mode AND reservations.day = risk_days.day)
        """
    )
