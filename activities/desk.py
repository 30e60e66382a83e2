"""What every activity needs: the journal, both venues and a clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.leg import fold
from domain.money import NO_USD, ZERO, Price, Size, Usd
from domain.order import NotFilled
from domain.standing import LegReport
from domain.trade import LegResult
from domain.venue import Action, Venue
from store.journal import Journal, LegRows
from venues.port import VenuePort


@dataclass(frozen=True, slots=True)
class Desk:
    """One executor's hands. `wall_ms` is the wall clock in milliseconds."""

    journal: Journal
    venues: Mapping[Venue, VenuePort]
    wall_ms: Callable[[], int]

    async def leg(self, arb_id: str, venue: Venue, planned: Size) -> LegReport:
        """One leg of an arbitrage as its intents and fills in the journal tell it."""
        return report(await self.journal.leg(arb_id, venue), venue, planned)


def report(rows: LegRows, venue: Venue, planned: Size) -> LegReport:
    """The fold of a leg's rows, and how the trade log shows what was bought."""
    unknown = tuple(row.order.intent_id for row in rows.intents if not row.state.definite)
    state = fold(venue, planned, rows.fills, unknown)
    bought = [f for f in rows.fills if f.action is Action.BUY and not f.state.voided]
    cost = Usd(sum((fill.notional for fill in bought), start=NO_USD))
    entry = rows.intents[0] if rows.intents else None
    refused = entry.answer if entry and isinstance(entry.answer, NotFilled) else None
    return LegReport(
        state,
        LegResult(
            platform=venue.value,
            success=state.bought > ZERO,
            order_id=entry.order_id if entry else None,
            filled_shares=state.bought,
            filled_price=Price(cost / state.bought) if state.bought > ZERO else None,
            filled_cost=cost,
            error=f"{refused.rejection}: {refused.detail}" if refused else None,
        ),
    )
