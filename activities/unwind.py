"""One step of selling back an excess, priced on a fresh book."""

from temporalio import activity

from activities.desk import Desk
from activities.messages import Activity, StepReport, UnwindRequest
from activities.step import StepOf, take_step
from domain.leg import LegState
from domain.order import Order
from domain.unwind import NoSale, Sale, plan_sale
from domain.venue import Action, Venue
from venues.port import VenueMisuse


class UnwindActivities:
    """Sell what one leg holds beyond the other, or everything on an operator's word."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=Activity.UNWIND)
    async def unwind(self, request: UnwindRequest) -> StepReport:
        """One sale; nothing is sent where the book or the budget allow none."""
        step = StepOf(
            request.arb_id,
            request.venue,
            request.opportunity.size,
            request.purpose,
            request.sequence,
        )

        async def plan(leg: LegState) -> Order | str:
            sale = await self._plan(request, leg)
            if isinstance(sale, NoSale):
                return sale.reason
            return self._order(step.intent_id, request, sale)

        return await take_step(self._desk, step, plan)

    async def _plan(self, request: UnwindRequest, leg: LegState) -> Sale | NoSale:
        """The sale that the venue's balance, its book and the budget allow now. Raises
        VenueUnreachable."""
        venue = self._desk.venues[request.venue]
        instrument = request.opportunity.leg(request.venue).instrument
        try:
            excess = request.excess
            if request.venue is Venue.POLYMARKET:
                # Its balance cache trails the chain: a sale beyond it can only be refused.
                sellable = await venue.sellable(instrument)
                if sellable < instrument.size_step:
                    return NoSale("the venue's balance does not show the contracts yet")
                excess = min(excess, sellable)
            book = await venue.book(instrument)
        except VenueMisuse as trouble:
            return NoSale(f"{request.venue} has no such book: {trouble}")
        return plan_sale(instrument, book, leg, excess, request.budget, request.attempt)

    def _order(self, name: str, request: UnwindRequest, sale: Sale) -> Order:
        now_ms = self._desk.wall_ms()
        return Order(
            intent_id=name,
            arb_id=request.arb_id,
            instrument=request.opportunity.leg(request.venue).instrument,
            purpose=request.purpose,
            action=Action.SELL,
            size=sale.size,
            limit=sale.floor,
            time_in_force=sale.time_in_force,
            reduce_only=sale.reduce_only,
            created_at_ms=now_ms,
            not_after_ms=now_ms + request.deadline_ms,
        )
