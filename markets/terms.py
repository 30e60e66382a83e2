"""What the configured markets ask, read slowly beside the trading: nothing waits for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from domain.pair import Pair
from domain.terms import Terms
from domain.venue import Venue
from store.errors import JournalBusy
from venues.port import MarketData, VenueMisuse, VenueUnreachable

log = logging.getLogger(__name__)

PAUSE_SECONDS = 600.0
RETRY_SECONDS = 15.0
READS_AT_ONCE = 2


class TermsReader:
    """Reads the words and times of both markets of every pair again and again. `keep` is given
    those that changed; what could not be read or kept is asked for sooner and keeps what was
    known."""

    def __init__(
        self,
        pairs: Iterable[Pair],
        venues: Mapping[Venue, MarketData],
        keep: Callable[[list[Terms]], Awaitable[None]],
    ) -> None:
        self._markets = [
            market
            for pair in pairs
            for market in ((Venue.POLYMARKET, pair.condition_id), (Venue.KALSHI, pair.ticker))
        ]
        self._venues = venues
        self._keep = keep
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._known: dict[tuple[Venue, str], Terms] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            whole = await self.load()
            await asyncio.sleep(PAUSE_SECONDS if whole else RETRY_SECONDS)

    async def load(self) -> bool:
        """Read every market once; whether all of them could be read and kept."""
        found = await asyncio.gather(*(self._read(*market) for market in self._markets))
        changed = [
            one
            for one in found
            if isinstance(one, Terms) and self._known.get((one.venue, one.market)) != one
        ]
        if changed:
            try:
                await self._keep(changed)
            except JournalBusy as busy:
                log.warning("the words of %s markets were not kept: %s", len(changed), busy)
                return False
        self._known |= {(one.venue, one.market): one for one in changed}
        return all(one is not _UNREAD for one in found)

    async def _read(self, venue: Venue, market: str) -> "Terms | _Unread | None":
        async with self._reads:
            try:
                return await self._venues[venue].terms(market)
            except (VenueUnreachable, VenueMisuse) as trouble:
                log.warning("%s %s: its words were not read: %s", venue, market, trouble)
                return _UNREAD


class _Unread:
    """The venue did not answer, or not legibly."""


_UNREAD = _Unread()
