"""One step of selling back an excess: price it on a fresh book, write it down, send it once."""

from temporalio import activity

from activities.desk import Desk
from activities.failpoints import Point, hit
from activities.messages import Activity, Ticket, UnwindReport, UnwindRequest
from activities.send import send_once
from domain.identity import intent_id
from domain.leg import LegState
from domain.money import NO_SIZE, Size
from domain.order import Filled, NotFilled, Order, Unknown
from domain.unwind import NoSale, Sale, plan_sale
from domain.venue import Action, Venue
from venues.port import VenueMisuse, VenueUnreachable


class UnwindActivities:
    """Sell what one leg holds beyond the other, or everything on an operator's word."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=Activity.UNWIND)
    async def unwind(self, request: UnwindRequest) -> UnwindReport:
        """One sale. Run again it finds its intent in the journal and sends nothing new."""
        desk, planned = self._desk, request.opportunity.size
        name = intent_id(request.arb_id, request.venue, request.purpose, request.sequence)
        before = await desk.leg(request.arb_id, request.venue, planned)
        state = await desk.journal.arbitrage(request.arb_id)
        intent = next((one for one in state.intents if one.order.intent_id == name), None)
        if intent is None:
            sale = await self._plan(request, before.state)
            if isinstance(sale, NoSale):
                return UnwindReport(before, NO_SIZE, f"not sold: {sale.reason}")
            order = self._order(name, request, sale)
            identity = desk.venues[request.venue].identify(order)
            hit(Point.BEFORE_INTENT, request.venue, request.purpose)
            intent = await desk.journal.plan_unwind(order, identity, desk.wall_ms())
        ticket = Ticket(intent.order, intent.identity)
        answer = await send_once(desk, ticket)
        after = await desk.leg(request.arb_id, request.venue, planned)
        sold = Size(before.state.held - after.state.held)
        match answer:
            case Filled():
                said = f"sold {sold} at {ticket.order.limit} or better"
            case NotFilled(rejection, detail):
                said = f"sale refused: {rejection}: {detail}"
            case Unknown(evidence):
                said = f"sale unanswered: {evidence}"
        return UnwindReport(after, sold, said)

    async def _plan(self, request: UnwindRequest, leg: LegState) -> Sale | NoSale:
        """The sale that the venue's balance, its book and the budget allow now."""
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
        except (VenueUnreachable, VenueMisuse) as trouble:
            return NoSale(f"{request.venue} cannot be read: {trouble}")
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
