"""What each chat wants to hear: quiet hours, and a tone for each kind of message."""

import sqlalchemy as sa
from alembic import op

from store.migrations.ddl import INT64, int64s, known, primary, table, texts

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table; whoever said nothing hears everything as before."""
    for column in ("quiet_from", "quiet_to"):
        op.add_column("chats", sa.Column(column, INT64, nullable=True))
    table(
        "chat_tones",
        *int64s("chat_id"),
        *texts("kind tone"),
        primary("chat_tones", "chat_id", "kind"),
        known("chat_tones", "tone", "silent off"),
    )
