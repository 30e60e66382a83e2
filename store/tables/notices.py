"""What people are told: alarms as rows, messages as copies that wait in the outbox."""

from sqlalchemy import Index, UniqueConstraint, text

from store.states import Severity, Tone
from store.tables.columns import (
    STRICT,
    STRICT_SERIAL,
    Base,
    Json,
    Key,
    KeyNumber,
    Millis,
    Number,
    OptMillis,
    OptNumber,
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


class ChatRow(Base, table=True):
    """One chat that is told: messages of the outbox up to `since_id` were before its time; until
    `muted_until_ms`, and each day between the minutes `quiet_from` and `quiet_to` (UTC), nothing
    but what is critical rings."""

    __tablename__ = "chats"
    __table_args__ = (STRICT,)

    chat_id: KeyNumber
    since_id: Number
    muted_until_ms: Millis = 0
    quiet_from: OptNumber = None
    quiet_to: OptNumber = None


class ChatToneRow(Base, table=True):
    """How a chat is told of one kind of message; without a row as usual."""

    __tablename__ = "chat_tones"
    __table_args__ = (one_of("tone", (Tone.SILENT, Tone.OFF)), STRICT)

    chat_id: KeyNumber
    kind: Key
    tone: String


class DeliveryRow(Base, table=True):
    """A message of the outbox that a chat has got."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_at", "at_ms"), STRICT)

    outbox_id: KeyNumber
    chat_id: KeyNumber
    at_ms: Millis


class ChatMessageRow(Base, table=True):
    """The one message in a chat that tells of a subject and is edited through its life."""

    __tablename__ = "chat_messages"
    __table_args__ = (STRICT,)

    chat_id: KeyNumber
    subject: Key
    message_id: Number
    at_ms: Millis
