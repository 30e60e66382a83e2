"""What the notifier remembers: its chats, what each has got, and the messages that it edits."""

from alembic import op

from store.migrations.ddl import int64s, primary, table, texts

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    table("chats", *int64s("chat_id since_id muted_until_ms"), primary("chats", "chat_id"))
    table(
        "deliveries",
        *int64s("outbox_id chat_id at_ms"),
        primary("deliveries", "outbox_id", "chat_id"),
    )
    op.create_index("ix_deliveries_at", "deliveries", ["at_ms"])
    table(
        "chat_messages",
        *int64s("chat_id"),
        *texts("subject"),
        *int64s("message_id at_ms"),
        primary("chat_messages", "chat_id", "subject"),
    )
