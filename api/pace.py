"""When the journal is looked at next: soon where something happened, else at a steady pace."""

import asyncio
import time

from sqlalchemy.exc import SQLAlchemyError

from store import views
from store.errors import JournalBusy
from store.journal import Journal

PULSE_SECONDS = 0.2
"""Between two looks at what is open, while somebody watches."""
PEEK_SECONDS = 0.05
"""Between two questions, in the meantime, whether anything happened."""
IDLE_SECONDS = 1
"""Between two looks while nobody watches."""


class Pace:
    """Waits between two looks."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._wake = asyncio.Event()

    def poke(self) -> None:
        """Something was just changed here: look now."""
        self._wake.set()

    async def wait(self, seen: tuple[int, int], *, watched: bool) -> None:
        """Until the next look is due, something was changed here, or the journal has more than
        the messages and audit rows up to the ids `seen`."""
        pause, peek = (PULSE_SECONDS, PEEK_SECONDS) if watched else (IDLE_SECONDS, IDLE_SECONDS)
        due = time.monotonic() + pause
        while (left := due - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, peek)):
                    await self._wake.wait()
            except TimeoutError:
                if peek < left and await self._has_more(seen):
                    return
            else:
                self._wake.clear()
                return

    async def _has_more(self, seen: tuple[int, int]) -> bool:
        try:
            return await self._journal.read(views.newest) != seen
        except (JournalBusy, SQLAlchemyError):
            return False  # the look that is due says so
