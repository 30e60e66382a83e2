"""One step of getting rid of an excess, priced on a fresh book: sell it, or neutralise it."""

import asyncio
import logging

from temporalio import activity

from activities.desk import Desk
from activities.fresh import may_have_changed, rules_now
from activities.messages import Activity, StepReport, UnwindRequest
from activities.step import StepOf, take_step
from domain.leg import LegState
from domain.money import Size
from domain.opposite import Opposite, plan_opposite
from domain.order import Order
from domain.unwind import NoSale, Sale, plan_sale
from domain.venue import Action, Instrument, TimeInForce, Venue
from venues.port import Untradable, VenueMisuse, VenueUnreachable

log = logging.getLogger(__name__)

BALANCE_SECONDS = 2
"""How long a sale waits for a balance that it can do without, beside the reads that it needs."""


class UnwindActivities:
    """Sell what one leg holds beyond the other, or everything on an operator's word; or buy the
    other outcome beside it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=Activity.UNWIND)
    async def unwind(self, request: UnwindRequest) -> StepReport:
        """One sale; nothing is sent where the book or the budget allow none."""
        step = _step(request)

        async def plan(leg: LegState) -> Order | str:
            found = await self._plan(request, leg)
            if isinstance(found, NoSale):
                return found.reason
            return self._order(step.intent_id, request, *found)

        return await take_step(self._desk, step, plan)

    @activity.defn(name=Activity.BUY_OPPOSITE)
    async def buy_opposite(self, request: UnwindRequest) -> StepReport:
        """One purchase of the other outcome; nothing is sent where the book or the budget allow
        none."""
        step = _step(request)

        async def plan(leg: LegState) -> Order | str:
            found = await self._plan_opposite(request, leg)
            if isinstance(found, NoSale):
                return found.reason
            other, bought = found
            now_ms = self._desk.wall_ms()
            return Order(
                intent_id=step.intent_id,
                arb_id=request.arb_id,
                instrument=other,
                purpose=request.purpose,
                action=Action.BUY,
                size=bought.size,
                limit=bought.limit,
                time_in_force=TimeInForce.FOK,
                reduce_only=False,
                created_at_ms=now_ms,
                not_after_ms=now_ms + request.deadline_ms,
            )

        return await take_step(self._desk, step, plan)

    async def _plan_opposite(
        self, request: UnwindRequest, leg: LegState
    ) -> tuple[Instrument, Opposite] | NoSale:
        """What the other outcome's rules, its book and the budget allow now. Raises
        VenueUnreachable."""
        venue, own = self._desk.venues[request.venue], request.opportunity.leg(request.venue)
        market = own.instrument.market
        try:
            other = await venue.instrument(market, own.instrument.outcome.complement)
            if isinstance(other, Untradable):
                return NoSale(f"the other outcome is not traded: {other.reason}: {other.detail}")
            book = await venue.book(other)
        except VenueMisuse as trouble:
            return NoSale(f"{request.venue} has no such book: {trouble}")
        bought = plan_opposite(other, book, leg, request.excess, request.budget)
        return bought if isinstance(bought, NoSale) else (other, bought)

    async def _plan(
        self, request: UnwindRequest, leg: LegState
    ) -> tuple[Instrument, Sale] | NoSale:
        """The sale that the venue's balance, its book and the budget allow now. Raises
        VenueUnreachable."""
        venue = self._desk.venues[request.venue]
        known = request.opportunity.leg(request.venue).instrument
        try:
            sellable, book, instrument = await asyncio.gather(
                self._sellable(request, known),
                venue.book(known),
                self._rules(request, known),
            )
        except VenueMisuse as trouble:
            return NoSale(f"{request.venue} has no such book: {trouble}")
        if sellable < instrument.size_step:
            return NoSale("the venue's balance does not show the contracts yet")
        sale = plan_sale(
            instrument,
            book,
            leg,
            min(request.excess, sellable),
            request.budget,
            request.attempt,
            request.least,
            reduce_only=request.person_called,
        )
        return sale if isinstance(sale, NoSale) else (instrument, sale)

    async def _sellable(self, request: UnwindRequest, known: Instrument) -> Size:
        """How much of the excess the venue has to sell, where our own books may not know it:
        Polymarket's balance cache trails the chain, and a sale beyond it can only be refused; at
        Kalshi one beyond a position that a person has reduced would open the other side.

        The excess where Polymarket does not tell and nobody else may have sold: it is the venue
        itself that refuses a sale beyond its balance, and a leg must not stay naked for a read.
        """
        venue = self._desk.venues[request.venue]
        if may_have_changed(request):
            return await venue.sellable(known)
        if request.venue is not Venue.POLYMARKET:
            return request.excess
        try:
            async with asyncio.timeout(BALANCE_SECONDS):
                return await venue.sellable(known)
        except (VenueUnreachable, VenueMisuse, TimeoutError) as trouble:
            why = str(trouble) or f"no answer within {BALANCE_SECONDS} s"
            log.warning("%s: sold without a balance: %s", request.arb_id, why)
            return request.excess

    async def _rules(self, request: UnwindRequest, known: Instrument) -> Instrument:
        """What the venue says of the instrument now, where that may differ from the entry's."""
        if may_have_changed(request):
            return await rules_now(self._desk.venues[request.venue], known)
        return known

    def _order(
        self, name: str, request: UnwindRequest, instrument: Instrument, sale: Sale
    ) -> Order:
        now_ms = self._desk.wall_ms()
        return Order(
            intent_id=name,
            arb_id=request.arb_id,
            instrument=instrument,
            purpose=request.purpose,
            action=Action.SELL,
            size=sale.size,
            limit=sale.floor,
            time_in_force=sale.time_in_force,
            reduce_only=sale.reduce_only,
            created_at_ms=now_ms,
            not_after_ms=now_ms + request.deadline_ms,
        )


def _step(request: UnwindRequest) -> StepOf:
    return StepOf(request.arb_id, request.venue, request.purpose, request.sequence)
