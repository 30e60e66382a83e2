"""What the notifier remembers of its chats, so that a restart sends nothing twice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, exists, update
from sqlmodel import Session, col, func, select

from store import outbox
from store.outbox import Message
from store.states import Tone
from store.tables import ChatMessageRow, ChatRow, ChatToneRow, DeliveryRow, OutboxRow

KEPT_MS = 7 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Chat:
    """One chat: `since_id` is the newest message of the outbox before its time; `quiet` are the
    minutes of a UTC day between which nothing rings, `tones` how each kind is told where it is not
    told as usual."""

    chat_id: int
    since_id: int
    muted_until_ms: int = 0
    quiet: tuple[int, int] | None = None
    tones: Mapping[str, Tone] = field(default_factory=dict)


def meet(session: Session, chat_ids: Iterable[int], now_ms: int) -> list[Chat]:
    """The chats, each from now on where it is new; what no chat is to get is marked as sent."""
    newest = session.exec(select(func.max(OutboxRow.id))).one() or 0
    chats = []
    for chat_id in chat_ids:
        row = session.get(ChatRow, chat_id)
        if row is None:
            row = ChatRow(chat_id=chat_id, since_id=newest)
            session.add(row)
        chats.append(_chat(session, row))
    if chats:
        session.exec(
            update(OutboxRow)
            .where(
                col(OutboxRow.sent_ms).is_(None),
                col(OutboxRow.id) <= min(chat.since_id for chat in chats),
            )
            .values(sent_ms=now_ms, last_error="from before there was a chat")
        )
    session.exec(delete(DeliveryRow).where(col(DeliveryRow.at_ms) < now_ms - KEPT_MS))
    return chats


def undelivered(session: Session, chat: Chat, after_id: int, limit: int) -> list[Message]:
    """What waits for this chat, oldest first, beyond the message `after_id`."""
    got = exists().where(
        col(DeliveryRow.outbox_id) == col(OutboxRow.id),
        col(DeliveryRow.chat_id) == chat.chat_id,
    )
    rows = (
        select(OutboxRow)
        .where(col(OutboxRow.sent_ms).is_(None), ~got)
        .where(col(OutboxRow.id) > max(after_id, chat.since_id))
        .order_by(col(OutboxRow.id))
        .limit(limit)
    )
    return [outbox.message(row) for row in session.exec(rows)]


def delivered(
    session: Session, chat_id: int, outbox_ids: Iterable[int], chats: Iterable[Chat], now_ms: int
) -> None:
    """The chat has got these; a message that every one of `chats` has got is sent."""
    for outbox_id in outbox_ids:
        session.merge(DeliveryRow(outbox_id=outbox_id, chat_id=chat_id, at_ms=now_ms))
        session.flush()
        got = set(
            session.exec(select(DeliveryRow.chat_id).where(DeliveryRow.outbox_id == outbox_id))
        )
        if all(chat.chat_id in got or chat.since_id >= outbox_id for chat in chats):
            outbox.sent(session, outbox_id, now_ms)


def message_of(session: Session, chat_id: int, subject: str) -> int | None:
    """The message in the chat that tells of the subject, None where there is none yet."""
    row = session.get(ChatMessageRow, (chat_id, subject))
    return None if row is None else row.message_id


def keep_message(
    session: Session, chat_id: int, subject: str, message_id: int, now_ms: int
) -> None:
    """From now on this message tells of the subject."""
    session.merge(
        ChatMessageRow(chat_id=chat_id, subject=subject, message_id=message_id, at_ms=now_ms)
    )


def forget_message(session: Session, chat_id: int, subject: str) -> None:
    """The message that told of the subject is gone."""
    row = session.get(ChatMessageRow, (chat_id, subject))
    if row is not None:
        session.delete(row)


def keep_wishes(session: Session, chat: Chat) -> None:
    """What the chat has set about itself."""
    row = session.get_one(ChatRow, chat.chat_id)
    row.muted_until_ms = chat.muted_until_ms
    row.quiet_from, row.quiet_to = chat.quiet or (None, None)
    session.exec(delete(ChatToneRow).where(col(ChatToneRow.chat_id) == chat.chat_id))
    for kind, tone in chat.tones.items():
        if tone is not Tone.ON:
            session.add(ChatToneRow(chat_id=chat.chat_id, kind=kind, tone=tone))


def _chat(session: Session, row: ChatRow) -> Chat:
    quiet = None
    if row.quiet_from is not None and row.quiet_to is not None:
        quiet = row.quiet_from, row.quiet_to
    tones = session.exec(select(ChatToneRow).where(ChatToneRow.chat_id == row.chat_id))
    return Chat(
        chat_id=row.chat_id,
        since_id=row.since_id,
        muted_until_ms=row.muted_until_ms,
        quiet=quiet,
        tones={one.kind: Tone(one.tone) for one in tones},
    )
