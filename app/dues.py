"""What the venues owe for answered questions: asked slowly beside the trading, for pages only."""

import logging

from activities.desk import Desk
from activities.settle import answer_of
from domain.money import NO_USD, ZERO, Usd
from domain.payout import paid_out
from domain.trade import Phase
from domain.venue import Mode, Venue
from store.arbitrages import ArbitrageState
from venues.port import VenueMisuse, VenueUnreachable

log = logging.getLogger(__name__)

PAUSE_SECONDS = 20.0
WAITS = frozenset({Phase.HOLDING, Phase.SETTLING})


class Dues:
    """`owed` is what each venue pays for contracts that are worth something for certain now and
    that its own record has not credited yet (dollars); None before the first whole look."""

    def __init__(self, desk: Desk, mode: Mode) -> None:
        self._desk = desk
        self._mode = mode
        self.owed: dict[Venue, Usd] | None = None

    async def read(self) -> None:
        """One look at everything held. Where a venue cannot be asked, what was known stays."""
        owed = dict.fromkeys(Venue, NO_USD)
        for one in await self._desk.journal.unfinished():
            if one.mode is not self._mode or one.phase not in WAITS:
                continue
            state = await self._desk.journal.arbitrage(one.arb_id)
            for venue in Venue:
                try:
                    owed[venue] = Usd(owed[venue] + await self._owed(state, venue))
                except (VenueUnreachable, VenueMisuse) as trouble:
                    log.warning("%s: what it owes was not read: %s", venue, trouble)
                    return
        self.owed = owed

    async def _owed(self, state: ArbitrageState, venue: Venue) -> Usd:
        leg = state.leg(venue)
        if max(leg.owned, leg.opposite) <= ZERO:
            return NO_USD
        found = await answer_of(self._desk, state, venue)
        return NO_USD if found is None or found.credited else paid_out(leg, found.pays)
