"""Answers of commands by idempotency key: said again, a command is answered, not done again."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import Session, col

from store.codec import detail_from, detail_json
from store.tables import CommandResultRow

KEPT_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """What was answered to the request with this hash."""

    request_hash: str
    status: int
    headers: dict[str, str]
    body: str


def find(session: Session, key: str) -> SavedAnswer | None:
    """The answer saved under this key."""
    row = session.get(CommandResultRow, key)
    if row is None:
        return None
    headers = {name: str(value) for name, value in detail_from(row.headers).items()}
    return SavedAnswer(row.request_hash, row.status, headers, row.body)


def save(session: Session, key: str, answer: SavedAnswer, now_ms: int) -> None:
    """Keep an answer for a day; older ones are dropped."""
    session.exec(delete(CommandResultRow).where(col(CommandResultRow.at_ms) < now_ms - KEPT_MS))
    headers: Mapping[str, object] = answer.headers
    session.merge(
        CommandResultRow(
            key=key,
            request_hash=answer.request_hash,
            status=answer.status,
            headers=detail_json(headers),
            body=answer.body,
            at_ms=now_ms,
        )
    )
