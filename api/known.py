"""One arbitrage as pages know it: the journal's facts under the workflow's own word."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from api.bids import Bids, bids_of
from api.words import days_left, settled_ms
from domain.leg import LegState
from domain.money import NO_USD, ZERO, Usd
from domain.payout import holdings, payout_by_outcome
from domain.trade import Phase
from domain.venue import Instrument, Outcome, Venue
from store import arbitrages, sightings, terms, views
from store.arbitrages import ArbitrageState
from store.presence import Presence
from store.views import OrderTimes
from workflows.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Known:
    """Everything known of one arbitrage: the journal's state, the workflow's own word where a
    worker gives it, the times of its orders by intent, and the bids seen last. `fresh`: the journal
    has not changed since the workflow spoke.
    `waits`: a living executor's worker has not been asked yet.
    `settles_ms` is when both venues expect to have paid, `days_left` the begun days until then.

    What is held is always the journal's fold: fills are written before the workflow hears of them.
    """

    state: ArbitrageState
    snapshot: Snapshot | None
    fresh: bool
    times: Mapping[str, OrderTimes]
    bids: Bids
    settles_ms: int | None = None
    days_left: int | None = None
    waits: bool = False

    @property
    def stale(self) -> bool:
        """Whether no worker answers for it, so that the journal alone speaks."""
        return self.snapshot is None and not self.waits and not self.state.phase.ended

    @property
    def phase(self) -> Phase:
        """By whoever spoke last: the workflow or the journal."""
        return self.snapshot.phase if self.snapshot and self.fresh else self.state.phase

    @property
    def reason(self) -> str:
        """Why it is where it is."""
        if self.snapshot and self.fresh:
            return self.snapshot.reason
        return self.state.reason or ""

    def leg(self, venue: Venue) -> LegState:
        """What the leg holds."""
        return self.state.leg(venue)

    @property
    def holding(self) -> list[Venue]:
        """The venues at which something is held."""
        return [venue for venue in Venue if self.leg(venue).held > ZERO]

    def instrument(self, venue: Venue) -> Instrument:
        """What the leg's orders name."""
        return self.state.opportunity.leg(venue).instrument

    @property
    def outlay(self) -> Usd:
        """Dollars spent on both legs less what sales brought."""
        return Usd(sum((self.leg(v).paid - self.leg(v).received for v in Venue), start=NO_USD))

    @property
    def payouts(self) -> dict[Outcome, Usd]:
        """What is held pays, by answer."""
        held = [one for v in Venue for one in holdings(self.leg(v), self.instrument(v).outcome)]
        return payout_by_outcome(tuple(held))


def read(
    session: Session,
    arb_id: str,
    snapshot: Snapshot | None,
    spoke_ms: int,
    now_ms: int,
    executors: Iterable[Presence],
) -> Known:
    """The journal under what the workflow said as of `spoke_ms`, and the bids by the executors
    that live. Raises NotJournaled."""
    state = arbitrages.load(session, arb_id)
    seen = sightings.one(session, state.opportunity.pair_id)
    asked = [
        found
        for venue in Venue
        if (found := terms.of(session, venue, state.opportunity.leg(venue).instrument.market))
    ]
    settles_ms = settled_ms(asked)
    instruments = [state.opportunity.leg(venue).instrument for venue in Venue]
    return Known(
        state=state,
        snapshot=snapshot,
        fresh=snapshot is not None and spoke_ms >= state.updated_at_ms,
        times=views.order_times(session, arb_id),
        bids=bids_of(seen, executors, instruments, now_ms),
        settles_ms=settles_ms,
        days_left=days_left(settles_ms, now_ms),
    )
