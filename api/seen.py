"""When the journal was last read: what is older than a report may be is not shown as it was."""

from dataclasses import dataclass

from store.presence import ALIVE_MS


@dataclass(slots=True)
class Seen:
    """When each look began that was answered last (wall-clock ms): at what is open, and around."""

    open_ms: int = 0
    around_ms: int = 0

    def age_ms(self, now_ms: int) -> int:
        """Since the older of the two."""
        return max(now_ms - min(self.open_ms, self.around_ms), 0)

    def lately(self, now_ms: int) -> bool:
        """Whether who reported then counts as running still."""
        return self.age_ms(now_ms) < ALIVE_MS
