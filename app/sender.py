"""This process's lease on the venue accounts: taken, renewed, and let go at the end."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from sqlmodel import Session

from domain.venue import Venue
from store import lease
from store.errors import JournalBusy
from store.journal import Journal
from store.lease import Claim, Held
from store.writing import Turn

log = logging.getLogger(__name__)

RENEW_SECONDS = 0.4
ASK_SECONDS = 0.3
"""What an answer may take at least, before the lease is given up for want of one."""


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
        self.gives_way: Callable[[Session, bool, int], str | None] = lambda *_: None
        """Why another process is to have the lease, by the journal, whether this one holds it, and
        the time: what was granted then runs out, so that nothing is sent twice."""
        self._until = 0.0
        self._turned = asyncio.Event()

    @property
    def holds(self) -> bool:
        """Whether the lease is ours: granted when it was last asked for, and not run out since by
        this machine's steady clock."""
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
        """A journal that gives no answer ends no lease of others: what was granted here is over
        when it runs out there."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            asking = asyncio.create_task(self._ask())
            try:
                await asyncio.wait({asking}, timeout=self._left())
                if not asking.done():
                    self._give("the journal does not answer", None)
                await asking
            except JournalBusy as busy:
                log.warning("the sender's lease was not renewed: %s", busy)
                if self.holds and time.monotonic() >= self._until:
                    self._give(str(busy), None)
            finally:
                asking.cancel()

    def _left(self) -> float | None:
        """Seconds for an answer; None where nothing is lost by waiting. A process that stood still
        itself may ask first: what it wants to send is asked of the lease once more anyway."""
        return max(self._until - time.monotonic(), ASK_SECONDS) if self.holds else None

    async def _ask(self) -> None:
        until = time.monotonic() + lease.LEASE_MS / 1_000
        now_ms, accounts = self._wall_ms(), self._accounts
        holds = self.holds

        def work(session: Session) -> Claim | Held | str:
            why = self.gives_way(session, holds, now_ms)
            return why or lease.take(session, self.name, accounts, now_ms)

        answer = await self._journal.write(now_ms, work, Turn.ORDER)
        if not isinstance(answer, Claim):
            self._give(str(answer), None)
        elif time.monotonic() < until:
            self._until = until
            self._give("", answer)

    def _give(self, why: str, claim: Claim | None) -> None:
        before, self.claim = self.claim, claim
        if (before is None) is not (claim is None):
            log.warning("%s %s", self.name, "sends now" if self.holds else f"waits: {why}")
            self._turned.set()

    async def _release(self) -> None:
        claim, self.claim = self.claim, None
        if claim is not None:
            now_ms = self._wall_ms()
            await self._journal.write(now_ms, lambda s: lease.release(s, claim, now_ms))
