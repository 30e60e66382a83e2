"""This process's lease on the venue accounts: taken, renewed, and let go at the end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from domain.venue import Venue
from store import lease
from store.errors import JournalBusy
from store.journal import Journal
from store.lease import Claim
from store.writing import Turn

log = logging.getLogger(__name__)

RENEW_SECONDS = 0.4


class Sender:
    """Whether this process may send orders. At most one process may, per venue account."""

    def __init__(
        self,
        journal: Journal,
        name: str,
        accounts: Mapping[Venue, str],
        wall_ms: Callable[[], int],
    ) -> None:
        self.name = name
        self.claim: Claim | None = None
        self._journal = journal
        self._accounts = accounts
        self._wall_ms = wall_ms
        self._turned = asyncio.Event()

    @property
    def holds(self) -> bool:
        """Whether the lease was ours when it was last asked for."""
        return self.claim is not None

    async def turn(self, holding: bool) -> None:
        """Return as soon as `holds` is no longer `holding`."""
        while self.holds is holding:
            self._turned.clear()
            await self._turned.wait()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Take the lease if it is free, renew or await it within the block, then let go of it."""
        await self._ask()
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            await self._release()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._ask()
            except JournalBusy as busy:
                # What was granted runs out by itself; the last gate reads the lease, not us.
                log.warning("the sender's lease was not renewed: %s", busy)

    async def _ask(self) -> None:
        now_ms, accounts = self._wall_ms(), self._accounts
        answer = await self._journal.write(
            now_ms, lambda s: lease.take(s, self.name, accounts, now_ms), Turn.ORDER
        )
        before, self.claim = self.claim, answer if isinstance(answer, Claim) else None
        if (before is None) is not (self.claim is None):
            log.warning("%s %s", self.name, "sends now" if self.holds else f"waits: {answer}")
            self._turned.set()

    async def _release(self) -> None:
        claim, self.claim = self.claim, None
        if claim is not None:
            now_ms = self._wall_ms()
            await self._journal.write(now_ms, lambda s: lease.release(s, claim, now_ms))
