"""What the notifier is told: where Telegram is, which chats are written to, and who may act."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.venue import Mode

HOUR_MS = 3_600_000


class Role(StrEnum):
    """What a person may do from a chat: a viewer asks, a trader also acts."""

    VIEWER = "viewer"
    TRADER = "trader"


@dataclass(frozen=True, slots=True)
class Options:
    """One bot. `users` are Telegram's numeric user ids; nobody else is answered.

    `answer_seconds` is how long Telegram may take to answer, `poll_seconds` how long it may keep
    a question for news open. `daily_hour` (UTC) is when yesterday is summed up.
    """

    token: str
    base_url: str
    chats: tuple[int, ...]
    users: Mapping[int, Role]
    mode: Mode
    version: str
    answer_seconds: int = 10
    poll_seconds: int = 30
    heartbeat_ms: int = 12 * HOUR_MS
    daily_hour: int = 0
