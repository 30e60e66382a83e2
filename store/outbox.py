"""Messages that wait to be sent: written with what they tell, sent at least once, in order."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from store.codec import detail_from, detail_json
from store.errors import NotJournaled
from store.failpoints import Point, hit
from store.tables import OutboxRow

BACKOFF_MS = 1_000
BACKOFF_MS_MAX = 300_000


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `attempts` counts the times it was handed out, this one included."""

    id: int
    topic: str
    payload: dict[str, object]
    created_ms: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages wait, and since when the oldest of them does."""

    waiting: int
    oldest_ms: int | None


def put(
    session: Session, dedupe_key: str, topic: str, payload: Mapping[str, object], now_ms: int
) -> bool:
    """Write a message unless one with this key exists; returns whether it was written."""
    if known(session, dedupe_key):
        return False
    hit(Point.OUTBOX, "insert", topic)
    session.add(
        OutboxRow(
            dedupe_key=dedupe_key,
            topic=topic,
            payload=detail_json(payload),
            created_ms=now_ms,
            due_ms=now_ms,
        )
    )
    session.flush()
    return True


def known(session: Session, dedupe_key: str) -> bool:
    """Whether a message with this key exists, sent or not."""
    rows = select(OutboxRow.id).where(OutboxRow.dedupe_key == dedupe_key)
    return session.exec(rows).first() is not None


def claim(session: Session, now_ms: int, lease_ms: int, limit: int) -> list[Message]:
    """Hand out what is due, oldest first, and hide it from others for `lease_ms`. What its
    taker does not report back becomes due again."""
    due = (
        select(OutboxRow)
        .where(col(OutboxRow.sent_ms).is_(None), OutboxRow.due_ms <= now_ms)
        .order_by(col(OutboxRow.id))
        .limit(limit)
    )
    messages = []
    for row in session.exec(due):
        row.attempts += 1
        row.due_ms = now_ms + lease_ms
        messages.append(message(row))
    if messages:
        hit(Point.OUTBOX, "claim")
    return messages


def message(row: OutboxRow) -> Message:
    """A row of the outbox as others see it."""
    assert row.id is not None, "a stored row has its key"
    return Message(row.id, row.topic, detail_from(row.payload), row.created_ms, row.attempts)


def sent(session: Session, message_id: int, now_ms: int) -> None:
    """The message arrived."""
    row = _row(session, message_id)
    hit(Point.OUTBOX, "mark", row.topic)
    if row.sent_ms is None:
        row.sent_ms, row.last_error = now_ms, None


def failed(session: Session, message_id: int, error: str, now_ms: int) -> int:
    """The message did not arrive; returns when it is due again (ms), later after each failure."""
    row = _row(session, message_id)
    row.last_error = error
    row.due_ms = now_ms + min(BACKOFF_MS << min(row.attempts - 1, 20), BACKOFF_MS_MAX)
    return row.due_ms


def backlog(session: Session) -> Backlog:
    """What waits, for the health page."""
    waiting, oldest = session.exec(
        select(func.count(), func.min(OutboxRow.created_ms)).where(col(OutboxRow.sent_ms).is_(None))
    ).one()
    return Backlog(waiting, oldest)


def _row(session: Session, message_id: int) -> OutboxRow:
    row = session.get(OutboxRow, message_id)
    if row is None:
        raise NotJournaled(f"expected a message of the outbox, found no number {message_id}")
    return row
