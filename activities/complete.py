"""The other way out of an uneven pair: buy the leg that is missing, where that is cheaper."""

import asyncio

from temporalio import activity

from activities.desk import Desk
from activities.fresh import may_have_changed, rules_now
from activities.messages import Activity, CompleteRequest, ExitsRequest, StepReport
from activities.send import heartbeating
from activities.step import StepOf, take_step
from domain.exits import NOT_PRICED, Exits, Naked, price_exits
from domain.leg import LegState
from domain.money import plain
from domain.order import Order, Purpose
from domain.venue import Action, TimeInForce
from venues.port import VenueMisuse, VenueUnreachable

PRICE_SECONDS = 2
"""How long a naked leg waits to know which way out costs less; then it is sold."""


class CompleteActivities:
    """Price both ways out on fresh books, and take the one that buys."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=Activity.PRICE_EXITS)
    async def price_exits(self, request: ExitsRequest) -> Exits:
        """What completing and what selling costs now; NOT_PRICED where a book cannot be read."""
        async with heartbeating():
            return await self._price(request)

    async def _price(self, request: ExitsRequest) -> Exits:
        venues, plan = self._desk.venues, request.opportunity
        held = plan.leg(request.venue).instrument
        missing = plan.leg(request.venue.sibling).instrument
        leg = await self._desk.leg(request.arb_id, request.venue, plan.size)
        try:
            async with asyncio.timeout(PRICE_SECONDS):
                held_book, missing_book = await asyncio.gather(
                    venues[held.venue].book(held), venues[missing.venue].book(missing)
                )
        except (VenueUnreachable, VenueMisuse, TimeoutError):
            return NOT_PRICED
        naked = Naked(leg.state, request.excess, held, missing)
        return price_exits(naked, held_book, missing_book, request.budget)

    @activity.defn(name=Activity.COMPLETE)
    async def complete(self, request: CompleteRequest) -> StepReport:
        """Buy the missing leg at the priced limit or not at all."""
        venues, known = self._desk.venues, request.opportunity.leg(request.venue).instrument
        step = StepOf(request.arb_id, request.venue, Purpose.COMPLETE, request.sequence)

        async def plan(leg: LegState) -> Order | str:
            instrument = known
            if may_have_changed(request):
                instrument = await rules_now(venues[request.venue], known)
                beside = request.opportunity.leg(request.venue.sibling).instrument
                hedged = await venues[beside.venue].sellable(beside)
                if hedged < leg.held + request.size:
                    return f"{beside.venue} shows only {plain(hedged)} to buy the other leg of"
            now_ms = self._desk.wall_ms()
            return Order(
                intent_id=step.intent_id,
                arb_id=request.arb_id,
                instrument=instrument,
                purpose=Purpose.COMPLETE,
                action=Action.BUY,
                size=request.size,
                limit=request.limit,
                time_in_force=TimeInForce.FOK,
                reduce_only=False,
                created_at_ms=now_ms,
                not_after_ms=now_ms + request.deadline_ms,
            )

        return await take_step(self._desk, step, plan)
