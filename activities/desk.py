"""What every activity needs: the journal, both venues and a clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from activities.doors import Doors
from domain.money import Size
from domain.order import Purpose
from domain.standing import LegReport, nothing_held
from domain.venue import Venue
from store.arbitrages import ArbitrageState
from store.errors import NotJournaled
from store.journal import Journal
from store.lease import Claim
from store.leg_results import leg_result
from store.tally import Tally
from venues.port import VenuePort

NEVER = "never written down"


@dataclass(frozen=True, slots=True)
class Desk:
    """One executor's hands. `wall_ms` is the wall clock in milliseconds, `claim` its lease on the
    accounts (None while another process sends), `killed` why no entry may leave whatever the
    journal says, `tally` what it counts for graphs, `doors` which venue takes no entry now."""

    journal: Journal
    venues: Mapping[Venue, VenuePort]
    wall_ms: Callable[[], int]
    claim: Callable[[], Claim | None]
    killed: Callable[[], str | None]
    tally: Tally = field(default_factory=Tally)
    doors: Doors = field(default_factory=Doors)

    async def leg(self, arb_id: str, venue: Venue, planned: Size) -> LegReport:
        """One leg as its intents and fills in the journal tell it. An arbitrage that the gate
        never wrote down holds nothing."""
        try:
            state = await self.journal.arbitrage(arb_id)
        except NotJournaled:
            return nothing_held(venue, planned, NEVER)
        return report(state, venue)


def report(state: ArbitrageState, venue: Venue) -> LegReport:
    """The leg's state, and how the trade log shows its entry order."""
    for one in state.intents:
        if one.order.venue is venue and one.order.purpose is Purpose.ENTRY:
            return LegReport(state.leg(venue), leg_result(one, state.fills))
    return nothing_held(venue, state.opportunity.size, NEVER)
