"""What people are told: alarms as rows, messages as copies that wait in the outbox."""

from sqlalchemy import Index, UniqueConstraint, text

from store.states import Severity
from store.tables.columns import (
    STRICT_SERIAL,
    Base,
    Json,
    Millis,
    Number,
    OptMillis,
    OptString,
    Serial,
    String,
    not_negative,
    one_of,
)


class AlarmRow(Base, table=True):
    """One alarm from its opening to its evidence; `key` names the thing that is wrong."""

    __tablename__ = "alarms"
    __table_args__ = (
        one_of("severity", Severity),
        *not_negative("repeats"),
        Index(
            "uq_alarms_open_key",
            "key",
            unique=True,
            sqlite_where=text("closed_ms IS NULL"),
            postgresql_where=text("closed_ms IS NULL"),
        ),
        STRICT_SERIAL,
    )

    id: Serial = None
    key: String
    code: String
    severity: String
    arb_id: OptString = None
    detail: String
    opened_ms: Millis
    repeated_ms: Millis
    repeats: Number = 0
    acknowledged_ms: OptMillis = None
    acknowledged_by: OptString = None
    closed_ms: OptMillis = None
    evidence: OptString = None


class OutboxRow(Base, table=True):
    """One message to be sent at least once; `dedupe_key` makes writing it twice harmless."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        *not_negative("attempts"),
        Index("ix_outbox_due", "sent_ms", "due_ms"),
        STRICT_SERIAL,
    )

    id: Serial = None
    dedupe_key: String
    topic: String
    payload: Json
    created_ms: Millis
    due_ms: Millis
    attempts: Number = 0
    sent_ms: OptMillis = None
    last_error: OptString = None
