"""One sender per account, what comparisons with the venues found, and trades that re-open."""

import sqlalchemy as sa
from alembic import op

from store.migrations.ddl import (
    INT64,
    check,
    flags,
    index_where,
    int64s,
    known,
    not_negative,
    primary,
    table,
    texts,
)

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_VENUES = "polymarket kalshi"


def upgrade() -> None:
    """Add the tables and the first row of the reconciliation; let a re-opened trade stand beside
    the pair's open one."""
    table(
        "sender_leases",
        *texts("account venue holder"),
        *int64s("epoch since_ms expires_ms"),
        primary("sender_leases", "account"),
        known("sender_leases", "venue", _VENUES),
        *not_negative("sender_leases", "epoch"),
    )
    table(
        "reconciliation",
        *int64s("id"),
        *int64s("first_ms whole_ms clean_ms", null=True),
        *texts("rejected", null=True),
        *int64s("restored"),
        *int64s("restored_ms", null=True),
        *texts("restored_why", null=True),
        primary("reconciliation", "id"),
        check("reconciliation", "single_row", "id = 1"),
        *flags("reconciliation", "restored"),
    )
    op.execute("INSERT INTO reconciliation (id, restored) VALUES (1, 0)")
    table(
        "known_differences",
        *texts("key venue"),
        *int64s("micro"),
        *texts("detail"),
        *int64s("at_ms"),
        *texts("accepted_by"),
        primary("known_differences", "key"),
        known("known_differences", "venue", _VENUES),
    )
    for counter in ("reopened", "adopted"):
        op.add_column(
            "arbitrages", sa.Column(counter, INT64, nullable=False, server_default=sa.text("0"))
        )
    op.drop_index("uq_arbitrages_open_pair", "arbitrages")
    index_where(
        "uq_arbitrages_open_pair",
        "arbitrages",
        "mode",
        "pair_id",
        where="closed_ms IS NULL AND reopened = 0",
        unique=True,
    )
