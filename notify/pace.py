"""How fast messages may leave: Telegram's limits per chat, per group and for the whole bot."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

CHAT_SECONDS = 1.0
GROUP_MESSAGES, GROUP_SECONDS = 20, 60.0
BOT_MESSAGES, BOT_SECONDS = 30, 1.0


@dataclass(slots=True)
class Total:
    """What every chat together may send. `clock` is monotonic, in seconds."""

    clock: Callable[[], float]
    _sent: deque[float] = field(default_factory=deque)

    def wait(self) -> float:
        """Seconds until the bot may send."""
        return _window(self._sent, self.clock(), BOT_MESSAGES, BOT_SECONDS)

    def note(self) -> None:
        """Something leaves now."""
        self._sent.append(self.clock())


@dataclass(slots=True)
class Pace:
    """One chat's turn; groups have negative ids and a limit per minute."""

    chat_id: int
    total: Total
    _last: float | None = None
    _until: float = 0.0
    _sent: deque[float] = field(default_factory=deque)

    def pause(self, seconds: float) -> None:
        """Nothing leaves to this chat for so long."""
        self._until = max(self._until, self.total.clock() + seconds)

    def wait(self) -> float:
        """Seconds until this chat may be written to; 0 for now."""
        now = self.total.clock()
        waits = [self._until - now, self.total.wait(), 0.0]
        if self._last is not None:
            waits.append(self._last + CHAT_SECONDS - now)
        if self.chat_id < 0:
            waits.append(_window(self._sent, now, GROUP_MESSAGES, GROUP_SECONDS))
        return max(waits)

    def note(self) -> None:
        """Something leaves to this chat now."""
        self._last = self.total.clock()
        self._sent.append(self._last)
        self.total.note()


def _window(sent: deque[float], now: float, most: int, seconds: float) -> float:
    """Seconds until fewer than `most` of these times lie within the last `seconds`."""
    while sent and sent[0] <= now - seconds:
        sent.popleft()
    return sent[0] + seconds - now if len(sent) >= most else 0.0
