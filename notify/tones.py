"""What a chat wants to hear of what is not critical: quiet hours, and a tone for each kind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from notify import notices
from notify.jobs import TRADE, Job, Lane
from store.chats import Chat
from store.states import Tone

DAY_MINUTES = 24 * 60
KINDS: Mapping[str, str] = {
    "trade": TRADE,
    "alarm": notices.ALARM,
    "settings": notices.SETTINGS_CHANGED,
    "resumed": notices.RESUMED,
    "daily": notices.DAILY,
    "heartbeat": notices.HEARTBEAT,
}
"""The name of each kind, and the topic of the outbox that it is."""
_NAMES = {topic: kind for kind, topic in KINDS.items()}
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Tones:
    """One chat's wishes at one moment (wall-clock ms)."""

    chat: Chat
    now_ms: int

    def wanted(self, job: Job) -> bool:
        """Whether the message is sent at all; what is critical always is."""
        return self._critical(job) or self.chat.tones.get(kind_of(job)) is not Tone.OFF

    def rings(self, job: Job) -> bool:
        """Whether a message that rings by itself may ring here now."""
        if self._critical(job):
            return True
        muted = self.now_ms < self.chat.muted_until_ms
        silent = self.chat.tones.get(kind_of(job)) is Tone.SILENT
        return not (muted or silent or quiet_now(self.chat.quiet, self.now_ms))

    @staticmethod
    def _critical(job: Job) -> bool:
        """A red alarm stays critical once it is over: whoever heard of it hears of its end."""
        return job.lane is Lane.CRITICAL or job.payload.get("severity") == "red"


def kind_of(job: Job) -> str:
    """What the kind of the message is called in a chat."""
    return _NAMES.get(job.topic, job.topic)


def quiet_now(quiet: tuple[int, int] | None, now_ms: int) -> bool:
    """Whether the moment lies within the hours (minutes of a UTC day, the end not among them);
    they may go over midnight."""
    if quiet is None:
        return False
    begin, end = quiet
    minute = now_ms // 60_000 % DAY_MINUTES
    return begin <= minute < end if begin <= end else minute >= begin or minute < end


def hours(text: str) -> tuple[int, int] | None:
    """ "22:00-07:00" as minutes of a day; None where it is no such text, or no time at all."""
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        return None
    begin, end = (int(found[n]) * 60 + int(found[n + 1]) for n in (1, 3))
    return None if begin == end else (begin, end)


def shown(quiet: tuple[int, int] | None) -> str:
    """Quiet hours in words."""
    if quiet is None:
        return "none"
    return "–".join(f"{minute // 60:02}:{minute % 60:02}" for minute in quiet) + " UTC"
