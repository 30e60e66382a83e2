"""What the dashboard needs: credentials, answered commands, and what the scanners see."""

from alembic import op

from store.migrations.ddl import int64s, known, primary, table, texts

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    table(
        "credentials",
        *texts("hash kind actor scopes"),
        *int64s("created_ms"),
        *int64s("expires_ms ended_ms", null=True),
        primary("credentials", "hash"),
        known("credentials", "kind", "session link token"),
    )
    op.create_index("ix_credentials_actor", "credentials", ["actor"])
    table(
        "command_results",
        *texts("key request_hash"),
        *int64s("status"),
        *texts("headers body"),
        *int64s("at_ms"),
        primary("command_results", "key"),
    )
    op.create_index("ix_command_results_at", "command_results", ["at_ms"])
    table(
        "sightings",
        *texts("pair_id executor"),
        *int64s("at_ms"),
        *texts("sighting"),
        primary("sightings", "pair_id"),
    )
    op.create_index("ix_sightings_at", "sightings", ["at_ms"])
    table(
        "scan_minutes",
        *texts("executor"),
        *int64s("minute_ms"),
        *texts("counts"),
        primary("scan_minutes", "executor", "minute_ms"),
    )
    op.create_index("ix_scan_minutes_minute", "scan_minutes", ["minute_ms"])
