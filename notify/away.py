"""A journal that cannot be read, said in every chat without it: no row of it can tell that."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from sqlalchemy.exc import SQLAlchemyError

from domain.venue import Mode
from notify import notices
from notify.chat import ChatSender
from store import outbox
from store.errors import JournalBusy
from store.journal import Journal

log = logging.getLogger(__name__)

AWAY_SECONDS = 10.0
"""A restart of the server takes a second or two, and is nobody's business."""
PROBE_SECONDS = 1.0


class Away:
    """One message to each chat once the journal has been away so long, one once it is back to
    those that were told."""

    def __init__(
        self,
        journal: Journal,
        senders: Mapping[int, ChatSender],
        mode: Mode,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._senders = senders
        self._mode = mode
        self._clock = clock
        self._since: float | None = None
        self._lasted = 0.0

    async def run(self) -> None:
        """Until cancelled. A chat that cannot be written to holds up no other."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._probe())
            for sender in self._senders.values():
                group.create_task(self._keep_told(sender))

    @property
    def _away(self) -> bool:
        return self._since is not None and self._clock() - self._since >= AWAY_SECONDS

    async def _probe(self) -> None:
        """Only questions that were answered with trouble count: a process that stood still, or a
        question that is still open, says nothing of the journal."""
        while True:
            began = self._clock()
            try:
                await self._journal.read(outbox.backlog)
            except (JournalBusy, SQLAlchemyError) as trouble:
                if self._since is None:
                    log.warning("the journal cannot be read: %s", trouble)
                    self._since = began
            else:
                if self._since is not None:
                    self._lasted, self._since = self._clock() - self._since, None
                    log.info("the journal was away for %.0f s", self._lasted)
            await asyncio.sleep(PROBE_SECONDS)

    async def _keep_told(self, sender: ChatSender) -> None:
        told = False
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            if not told and self._away:
                told = await sender.say(notices.journal_away(self._mode), lambda: self._away)
            elif told and self._since is None:
                lasted_ms = int(self._lasted * 1000)
                await sender.say(notices.journal_back(lasted_ms, self._mode), lambda: True)
                told = False
